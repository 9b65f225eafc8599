'use strict';

// Values outside JSON (OpenAPI 3.1, section 4.8.12.3; RFC 6570).

/** @type {Record<string, string>} */
const SEPARATORS = { spaceDelimited: '%20', pipeDelimited: '%7C' };

/** @type {(text: string) => string} */
const encode = (text) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
/** @type {(text: string) => string} */
const encodeReserved = (text) => encodeURI(text).replace(/[#&]/g, encodeURIComponent).replace(/%5B|%5D/g, decodeURIComponent);
/** @type {(node: InputNode) => (text: string) => string} */
const encoder = (node) => (node.allowReserved ? encodeReserved : encode);

/** @type {(value: Json) => string} */
const text = (value) => (value !== null && typeof value === 'object' ? JSON.stringify(value) : String(value));
/** @type {(value: Json) => boolean} */
const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

// The parts of a value as they stand between separators: `a,b`, or `name,value` and `name=value`.
/** @type {(value: Json, node: InputNode, separator: string, write: (text: string) => string) => string} */
const joined = (value, node, separator, write) => {
  if (Array.isArray(value)) return value.map((item) => write(text(item))).join(separator);
  if (!isObject(value)) return write(text(value));
  const equals = node.explode ? '=' : ',';
  return Object.entries(value)
    .map(([name, member]) => `${write(name)}${equals}${write(text(member))}`)
    .join(node.explode ? separator : ',');
};

/** @type {(value: Json, node: InputNode) => string} */
const inPath = (value, node) => {
  const write = encoder(node);
  if (node.contentType) return write(JSON.stringify(value));
  switch (node.style) {
    case 'label':
      return `.${joined(value, node, node.explode ? '.' : ',', write)}`;
    case 'matrix': {
      if (isObject(value) && node.explode) return `;${joined(value, node, ';', write)}`;
      if (Array.isArray(value) && node.explode) return value.map((item) => `;${node.name}=${write(text(item))}`).join('');
      return `;${node.name}=${joined(value, node, ',', write)}`;
    }
    default:
      return joined(value, node, ',', write);
  }
};

/** @type {(template: string, values: InputValue[]) => string} */
const path = (template, values) =>
  values
    .filter(({ node }) => node.in === 'path')
    .reduce((made, { node, value }) => made.replaceAll(`{${node.name}}`, () => inPath(value, node)), template);

// Pairs of a name and a value that are already encoded.
/** @type {(value: Json, node: InputNode) => string[][]} */
const pairs = (value, node) => {
  const write = encoder(node);
  const name = encode(node.name);
  if (node.contentType) return [[name, write(JSON.stringify(value))]];
  if (node.style === 'deepObject' && isObject(value)) {
    return Object.entries(value).flatMap(([key, member]) =>
      [member].flat().map((item) => [`${name}[${encode(key)}]`, write(text(item))]),
    );
  }
  if (isObject(value) && node.explode) {
    return Object.entries(value).map(([key, member]) => [encode(key), write(text(member))]);
  }
  if (Array.isArray(value) && node.explode) return value.map((item) => [name, write(text(item))]);
  const separator = SEPARATORS[node.style ?? ''] ?? ',';
  return [[name, joined(value, node, separator, write)]];
};

/** @type {(values: InputValue[]) => string} */
const form = (values) =>
  values
    .flatMap(({ node, value }) => pairs(value, { style: 'form', explode: true, ...node }))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');

/** @type {(values: InputValue[]) => string} */
const query = (values) => {
  const written = form(values.filter(({ node }) => node.in === 'query'));
  return written === '' ? '' : `?${written}`;
};

/** @type {(value: Json, node: InputNode) => string} */
const plain = (value, node) => (node.contentType ? JSON.stringify(value) : joined(value, node, ',', (one) => one));

/** @type {(values: InputValue[]) => Record<string, string>} */
const headers = (values) =>
  Object.fromEntries(
    values.filter(({ node }) => node.in === 'header').map(({ node, value }) => [node.name, plain(value, node)]),
  );

/** @type {(values: InputValue[]) => string} */
const cookies = (values) =>
  values
    .filter(({ node }) => node.in === 'cookie')
    .flatMap(({ node, value }) => pairs(value, { style: 'form', explode: true, ...node }))
    .map(([name, value]) => `${name}=${value}`)
    .join('; ');

module.exports = { cookies, form, headers, path, query, text };
