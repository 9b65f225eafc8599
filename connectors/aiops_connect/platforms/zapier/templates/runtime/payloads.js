'use strict';

// What was posted to Zapier: a delivery, or a callback.

const PARTS_OF_A_REQUEST = ['content', 'headers', 'method', 'querystring'];

/** @type {(value: Json) => boolean} */
const isObject = (value) => value !== null && typeof value === 'object';

/** @type {(cleaned: Json) => boolean} */
const isRequest = (cleaned) =>
  isObject(cleaned?.content) &&
  isObject(cleaned.headers) &&
  Object.keys(cleaned).every((name) => PARTS_OF_A_REQUEST.includes(name));

// Zapier hands the body on as it is, with the query string put in. Its reference and its types have a whole request
// instead, with the body under `content`: that is taken too, but a body may have a `content` of its own.
/** @type {(bundle: Bundle) => Json} */
const payloadOf = ({ cleanedRequest: cleaned }) => {
  if (Array.isArray(cleaned)) return cleaned;
  if (isRequest(cleaned)) return cleaned.content;
  const { querystring, ...payload } = cleaned ?? {};
  return payload;
};

module.exports = { payloadOf };
