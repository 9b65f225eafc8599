'use strict';

// Keys by which a repeat of the same work is told from new work of the same input.

const { createHash } = require('node:crypto');

const { isEmpty } = require('./values');

const DEDUPLICATION_KEY = 'deduplication_key';
const MINUTE_MS = 60_000;

// What the person named as one piece of work, if anything.
/** @type {(bundle: Bundle) => Entry} */
const entered = (bundle) => {
  const value = bundle.inputData?.[DEDUPLICATION_KEY];
  if (isEmpty(value)) return undefined;
  return typeof value === 'object' ? value : String(value).trim();
};

/** @type {(value: Json) => Json} */
const canonical = (value) => {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value;
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, canonical(value[name])]));
};

/** @type {(...parts: Json[]) => string} */
const hash = (...parts) => createHash('sha256').update(JSON.stringify(parts.map(canonical))).digest('hex');

// What the person entered comes first, by step: steps of one Zap are given the same ID, and a key stands for one body.
// In the editor it is tried with one input after another, which it stands for as well. In a run, the address to call
// back is the run's own; in the editor, two tests of the same input within a minute are one. Without either, nothing
// tells a run from another: no key.
/** @type {(work: Work) => string | undefined} */
const keyOf = ({ entered: named, step, values, callbackUrl, isEditor, now = Date.now() }) => {
  const inputs = values.map(({ node, value }) => [node.name, value]);
  if (named !== undefined) return isEditor ? hash(step, named, inputs, 'editor') : hash(step, named);
  if (callbackUrl) return hash(step, inputs, callbackUrl);
  return isEditor ? hash(step, inputs, 'editor', Math.floor(now / MINUTE_MS)) : undefined;
};

module.exports = { entered, keyOf };
