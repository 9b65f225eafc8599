'use strict';

// Values outside JSON (OpenAPI 3.1, section 4.8.12.3; RFC 6570).

const encode = (text) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
const encodeReserved = (text) => encodeURI(text).replace(/[#&]/g, encodeURIComponent).replace(/%5B|%5D/g, decodeURIComponent);
const encoder = (node) => (node.allowReserved ? encodeReserved : encode);

const text = (value) => (value !== null && typeof value === 'object' ? JSON.stringify(value) : String(value));
const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

// The parts of a value as they stand between separators: `a,b`, or `name,value` and `name=value`.
const joined = (value, node, separator, write) => {
  if (Array.isArray(value)) return value.map((item) => write(text(item))).join(separator);
  if (!isObject(value)) return write(text(value));
  const equals = node.explode ? '=' : ',';
  return Object.entries(value)
    .map(([name, member]) => `${write(name)}${equals}${write(text(member))}`)
    .join(node.explode ? separator : ',');
};

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

const path = (template, values) =>
  values
    .filter(({ node }) => node.in === 'path')
    .reduce((made, { node, value }) => made.replaceAll(`{${node.name}}`, () => inPath(value, node)), template);

// Pairs of a name and a value that are already encoded.
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
  const separator = { spaceDelimited: '%20', pipeDelimited: '%7C' }[node.style] ?? ',';
  return [[name, joined(value, node, separator, write)]];
};

const form = (values) =>
  values
    .flatMap(({ node, value }) => pairs(value, { style: 'form', explode: true, ...node }))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');

const query = (values) => {
  const written = form(values.filter(({ node }) => node.in === 'query'));
  return written === '' ? '' : `?${written}`;
};

const plain = (value, node) => (node.contentType ? JSON.stringify(value) : joined(value, node, ',', (one) => one));

const headers = (values) =>
  Object.fromEntries(
    values.filter(({ node }) => node.in === 'header').map(({ node, value }) => [node.name, plain(value, node)]),
  );

const cookies = (values) =>
  values
    .filter(({ node }) => node.in === 'cookie')
    .flatMap(({ node, value }) => pairs(value, { style: 'form', explode: true, ...node }))
    .map(([name, value]) => `${name}=${value}`)
    .join('; ');

module.exports = { cookies, form, headers, path, query, text };
