'use strict';

// What people entered, as the values of a call: of the right kind, within the limits, and nothing that was left empty.

const { fetched } = require('./downloads');
const { halted } = require('./errors');

/** @type {(value: Entry) => boolean} */
const isEmpty = (value) =>
  value === undefined ||
  value === null ||
  (typeof value === 'string' && value.trim() === '') ||
  (Array.isArray(value) && value.every(isEmpty)) ||
  (typeof value === 'object' && !Buffer.isBuffer(value) && Object.values(value).every(isEmpty));

class InputError extends Error {}

/** @type {(node: InputNode, what: string) => InputError} */
const wrong = (node, what) => new InputError(`${node.label ?? node.name} ${what}.`);

/** @type {(node: InputNode, value: Entry) => number} */
const number = (node, value) => {
  const found = typeof value === 'number' ? value : Number(String(value).trim());
  if (!Number.isFinite(found)) throw wrong(node, 'has to be a number');
  if (node.type === 'integer' && !Number.isInteger(found)) throw wrong(node, 'has to be a whole number');
  if (node.minimum !== undefined && found < node.minimum) throw wrong(node, `has to be at least ${node.minimum}`);
  if (node.maximum !== undefined && found > node.maximum) throw wrong(node, `can be at most ${node.maximum}`);
  return found;
};

/** @type {(node: InputNode, value: Entry) => string} */
const string = (node, value) => {
  const found = typeof value === 'object' ? JSON.stringify(value) : String(value);
  const { length } = [...found];
  if (length > (node.lengthMax ?? Infinity)) {
    throw wrong(node, `can have at most ${node.lengthMax} characters, and has ${length}`);
  }
  if (length < (node.lengthMin ?? 0)) throw wrong(node, `has to have at least ${node.lengthMin} characters`);
  return found;
};

/** @type {(node: InputNode, value: Entry) => boolean} */
const boolean = (node, value) => {
  if (typeof value === 'boolean') return value;
  const word = String(value).trim().toLowerCase();
  if (['true', 'yes', '1', 'y', 't', 'on'].includes(word)) return true;
  if (['false', 'no', '0', 'n', 'f', 'off'].includes(word)) return false;
  throw wrong(node, 'has to be yes or no');
};

/** @type {(node: InputNode, value: Entry) => string} */
const dateTime = (node, value) => {
  const found = String(value).trim();
  const hasZone = /([zZ]|[+-]\d\d:?\d\d)$/.test(found);
  if (node.type === 'date-time' && /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(found) && hasZone) return found.replace(' ', 'T');
  if (node.type === 'time') return found;
  const milliseconds = Date.parse(found);
  if (Number.isNaN(milliseconds)) throw wrong(node, 'has to be a date');
  if (node.type === 'date') return /^\d{4}-\d\d-\d\d/.exec(found)?.[0] ?? new Date(milliseconds).toISOString().slice(0, 10);
  return new Date(milliseconds).toISOString();
};

/** @type {(node: InputNode, value: Entry) => Json} */
const json = (node, value) => {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    if (node.orText) return value;
    throw wrong(node, 'has to be JSON');
  }
};

/** @type {<T>(node: InputNode, items: T[]) => T[]} */
const counted = (node, items) => {
  if (items.length > (node.itemsMax ?? Infinity)) throw wrong(node, `can have at most ${node.itemsMax} items`);
  if (items.length < (node.itemsMin ?? 0)) throw wrong(node, `has to have at least ${node.itemsMin} items`);
  return items;
};

/** @type {(context: Entering, node: InputNode, value: Entry) => Promise<Json>} */
const firstThatTakes = async (context, node, value) => {
  let last;
  for (const variant of node.variants) {
    try {
      if (variant.type === 'constant' && String(variant.value) !== String(value)) throw wrong(node, `cannot be ${value}`);
      return variant.type === 'constant' ? variant.value : await converted(context, { ...variant, label: node.label }, value);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      last = error;
    }
  }
  throw last;
};

/** @type {(context: Entering, node: InputNode, value: Entry) => Promise<Json>} */
const file = async ({ z, bundle }, node, value) => {
  if (node.form === 'url') return String(value);
  const found = await fetched(z, value);
  return node.form === 'base64' ? found.content.toString('base64') : found;
};

/** @type {(context: Entering, node: InputNode, value: Entry) => Promise<Json[]>} */
const listOf = (context, node, value) => {
  const items = [value].flat().filter((item) => !isEmpty(item));
  const labelled = { ...node.item, label: node.label };
  return Promise.all(counted(node, items).map((item) => converted(context, labelled, item)));
};

/** @type {(context: Entering, node: InputNode, value: Entry) => Promise<Json>} */
const converted = async (context, node, value) => {
  switch (node.type) {
    case 'integer':
    case 'number':
      return number(node, value);
    case 'text':
      return string(node, value);
    case 'boolean':
      return boolean(node, value);
    case 'date-time':
    case 'date':
    case 'time':
      return dateTime(node, value);
    case 'json':
      return json(node, value);
    case 'file':
      return file(context, node, value);
    case 'union':
      return firstThatTakes(context, node, value);
    case 'list':
      return listOf(context, node, value);
    case 'one-or-list': {
      const items = await listOf(context, node, value);
      return items.length === 1 ? items[0] : items;
    }
    case 'rows': {
      const rows = [value].flat().filter((row) => !isEmpty(row));
      return Promise.all(counted(node, rows).map((row) => members(context, node.fields, row, true)));
    }
    case 'dict': {
      const entries = Object.entries(value).filter(([, item]) => !isEmpty(item));
      const made = entries.map(async ([name, item]) => [name, await converted(context, { ...node.value, label: name }, item)]);
      return Object.fromEntries(await Promise.all(made));
    }
    default:
      return value;
  }
};

// The members of an object; undefined where none is set and none has to be.
/** @type {(context: Entering, nodes: InputNode[], inputData: Record<string, Entry>, isNeeded?: boolean) => Promise<Json>} */
const members = async (context, nodes, inputData, isNeeded) => {
  /** @type {InputValue[]} */
  const set = [];
  for (const node of nodes) {
    const value = await valueOf(context, node, inputData, isNeeded);
    if (value !== undefined) set.push({ node, value });
  }
  const isAsked = set.some(({ node }) => node.type !== 'constant');
  if (!isNeeded && !isAsked) return undefined;
  const missing = nodes.find((node) => node.required && !set.some((one) => one.node === node));
  if (missing !== undefined) throw wrong(missing, 'is needed');
  return Object.fromEntries(set.map(({ node, value }) => [node.name, value]));
};

/** @type {(context: Entering, node: InputNode, inputData: Record<string, Entry>, isNeeded?: boolean) => Promise<Json>} */
const valueOf = async (context, node, inputData, isNeeded) => {
  if (node.type === 'constant') return node.required ? node.value : undefined;
  if (node.type === 'group') return members(context, node.fields, inputData, isNeeded && Boolean(node.required));
  const value = inputData[node.key];
  return isEmpty(value) ? undefined : converted(context, node, value);
};

// The inputs of a call that are set, as { node, value }. Throws a HaltedError that names the field, before anything
// is sent.
/** @type {(z: Z, bundle: Bundle, nodes: InputNode[]) => Promise<InputValue[]>} */
const valuesOf = async (z, bundle, nodes) => {
  const inputData = bundle.inputData ?? {};
  const set = [];
  try {
    for (const node of nodes) {
      const value = await valueOf({ z, bundle }, node, inputData, true);
      if (value !== undefined) set.push({ node, value });
      else if (node.required) throw wrong(node, 'is needed');
    }
  } catch (error) {
    throw error instanceof InputError ? halted(z, error.message) : error;
  }
  return set;
};

module.exports = { isEmpty, valuesOf };
