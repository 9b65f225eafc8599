'use strict';

// Keys by which a repeat of the same work is told from new work of the same input.

const { createHash } = require('node:crypto');

const MINUTE_MS = 60_000;

/** @type {(value: Json) => Json} */
const canonical = (value) => {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value;
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, canonical(value[name])]));
};

/** @type {(...parts: Json[]) => string} */
const hash = (...parts) => createHash('sha256').update(JSON.stringify(parts.map(canonical))).digest('hex');

// What the person entered comes first. In a run, the address to call back is the run's own; in the editor, two tests
// of the same input within a minute are one. Without either, nothing tells a run from another: no key.
/** @type {(run: { entered?: Entry, step: string, values: InputValue[], callbackUrl?: string, isEditor?: boolean, now?: number }) => string | undefined} */
const keyOf = ({ entered, step, values, callbackUrl, isEditor, now = Date.now() }) => {
  if (entered) return String(entered).trim();
  const inputs = values.map(({ node, value }) => [node.name, value]);
  if (callbackUrl) return hash(step, inputs, callbackUrl);
  return isEditor ? hash(step, inputs, 'editor', Math.floor(now / MINUTE_MS)) : undefined;
};

module.exports = { keyOf };
