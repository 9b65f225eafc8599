'use strict';

// What a person could enter in the fields of a step: what is required, within its limits.

const text = ({ lengthMin = 1, lengthMax = Infinity }) => 'a text'.padEnd(lengthMin, '.').slice(0, Math.max(lengthMax, 1));
const number = ({ minimum, maximum }) => minimum ?? Math.min(1, maximum ?? 1);

const valueOf = (node) => {
  switch (node.type) {
    case 'integer':
    case 'number':
      return number(node);
    case 'boolean':
      return true;
    case 'date-time':
    case 'date':
      return '2026-01-05T10:15:00Z';
    case 'json':
      return '{"a":1}';
    case 'list':
    case 'one-or-list':
      return Array.from({ length: Math.max(node.itemsMin ?? 0, 1) }, () => valueOf(node.item));
    case 'rows':
      return Array.from({ length: Math.max(node.itemsMin ?? 0, 1) }, () => rowOf(node.fields));
    case 'dict':
      return { a: valueOf(node.value) };
    case 'union':
      return valueOf(node.variants[0]);
    case 'constant':
      return node.value;
    default:
      return text(node);
  }
};

// All members, where none is required: a row has to hold something.
const rowOf = (nodes) => {
  const isFree = nodes.every((node) => !node.required);
  return entriesOf(isFree ? nodes.map((node) => ({ ...node, required: true })) : nodes, []);
};

const chosen = ({ choices }) => (Array.isArray(choices) ? choices[0].value : Object.keys(choices)[0]);

// By the keys of the fields. `fields` know what can be chosen and what is entered beforehand.
const entriesOf = (nodes, fields) =>
  Object.assign(
    {},
    ...nodes
      .filter((node) => node.required)
      .map((node) => {
        if (node.type === 'group') return entriesOf(node.fields, fields);
        if (node.key === undefined) return {};
        const field = fields.find((one) => one.key === node.key);
        const value = field?.choices ? chosen(field) : (field?.default ?? valueOf(node));
        return { [node.key]: field?.list ? [value].flat() : value };
      }),
  );

module.exports = { entriesOf };
