'use strict';

// Makes requests out of a call's description, and takes their answers.

const { baseUrl, isOwn } = require('./address');
const { bodyOf } = require('./bodies');
const { halted, sendable, unanswered, undecided } = require('./errors');
const { at } = require('./pointers');
const { cookies, headers, path, query } = require('./styles');

/** @type {Record<string, any>} */
const operations = require('../operations.json');

const TIMEOUT_MS = 25_000;
const REDIRECTS_MAX = 3;

// A step of a path that is one or two dots leads to another operation, however they are written (URL Standard, path state).
const TO_ANOTHER_PATH = /^(\.|%2e){1,2}$/i;

/** @type {(written: string) => number} */
const leadingAway = (written) =>
  written.split(/[?#]/)[0].split('/').filter((step) => TO_ANOTHER_PATH.test(step)).length;

// The path with its values, none of which leaves its step out or makes it lead elsewhere.
/** @type {(z: Z, template: string, values: InputValue[]) => string} */
const filled = (z, template, values) => {
  const made = path(template, values);
  const isEmpty = values.some((one) => one.node.in === 'path' && path(`{${one.node.name}}`, [one]) === '');
  if (isEmpty || leadingAway(made) > leadingAway(template)) {
    throw halted(z, 'An id cannot be empty, "." or "..". Enter another.');
  }
  return made;
};

// `values` is a list of { node, value }: the inputs that are set.
/** @type {(z: Z, bundle: Bundle, call: ApiCall, values: InputValue[]) => Promise<HttpRequest>} */
const requestOf = async (z, bundle, call, values) => {
  const base = call.server === undefined ? baseUrl(bundle) : new URL(call.server, baseUrl(bundle)).href.replace(/\/+$/, '');
  const body = call.body ? await bodyOf(call.body, values.filter((one) => one.node.in === 'body')) : undefined;
  const cookie = cookies(values);
  const written = headers(values);
  for (const { node } of values.filter((one) => one.node.in === 'header')) {
    sendable(z, written[node.name], node.label ?? node.name);
  }
  return {
    method: call.method,
    url: `${base}${filled(z, call.path, values)}${query(values)}`,
    headers: {
      Accept: call.answer === 'json' ? 'application/json' : '*/*',
      ...(cookie === '' ? {} : { Cookie: cookie }),
      ...written,
      ...(body?.contentType ? { 'Content-Type': body.contentType } : {}),
    },
    ...(body ? { body: body.content } : {}),
  };
};

// Redirects are followed one by one, so that credentials are not sent where they lead.
/** @type {(z: Z, bundle: Bundle, request: HttpRequest, call?: Partial<ApiCall>, options?: CallOptions) => Promise<HttpAnswer>} */
const send = async (z, bundle, request, call = {}, options = {}) => {
  const { isTest, expected, isRepeatable, raw = call.answer === 'file', timeoutMs = TIMEOUT_MS } = options;
  const middlewareData = { messages: call.messages, details: call.details, isPaid: call.isPaid, isTest, isRepeatable, expected };
  let next = { ...request, raw, redirect: 'manual', timeout: timeoutMs, middlewareData };
  for (let count = 0; count <= REDIRECTS_MAX; count += 1) {
    /** @type {any} */
    let response;
    try {
      response = await z.request(/** @type {any} */ (next));
    } catch (error) {
      throw unanswered(z, error, 'The server', Math.round(timeoutMs / 1000), next);
    }
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || !location) return response;
    if (next.method !== 'GET') break;
    const url = new URL(location, next.url).href;
    const { Accept } = request.headers;
    next = { ...next, url, headers: isOwn(url, bundle) ? request.headers : { Accept } };
  }
  throw halted(z, 'The server redirects this call, which is not followed. Check its address.');
};

/** @type {(response: HttpAnswer) => boolean} */
const isEmpty = ({ status, content }) => status === 204 || content === '';

/** @type {(z: Z, call: ApiCall, response: HttpAnswer) => Json} */
const answerOf = (z, call, response) => {
  if (call.answer === 'none' || isEmpty(response)) return { success: true };
  if (call.answer === 'text') return { text: response.content };
  let data;
  try {
    data = JSON.parse(response.content);
  } catch {
    const what = 'The server answered with something other than JSON.';
    throw undecided(z, response.request, what, 'AnswerError', response.status);
  }
  return data;
};

// Zapier takes objects: a list is one under `items`, anything else under `value`.
/** @type {(data: Json) => Json} */
const asObject = (data) => {
  if (Array.isArray(data)) return { items: data };
  return data !== null && typeof data === 'object' ? data : { value: data };
};

/** @type {(source: Source, body: Json, platform: Record<string, Json>) => Json} */
const sourceValue = (source, body, platform) => {
  if (Object.hasOwn(source, 'value')) return source.value;
  return Object.hasOwn(source, 'from') ? at(body, source.from) : platform[source.platform];
};

// The values of inputs that are set by the app itself, by their ids.
/** @type {(nodes: Record<string, InputNode> | any[], byId: Record<string, Json>) => InputValue[]} */
const own = (nodes, byId) =>
  Object.entries(byId)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([id, value]) => ({ node: Array.isArray(nodes) ? nodes.find((one) => one.key === id) : nodes[id], value }));

// The same request to an address that the API gave for the next page, if it is the API's own.
/** @type {(z: Z, bundle: Bundle, request: HttpRequest, url?: string) => HttpRequest} */
const toPage = (z, bundle, request, url) => {
  if (url === undefined) return request;
  if (!isOwn(url, bundle)) throw halted(z, 'The next page is at another host, which is not asked.');
  return { ...request, url };
};

// Calls an operation on the way; `body` is what came before.
/** @type {(z: Z, bundle: Bundle, plan: Step, body?: Json, options?: CallOptions) => Promise<any>} */
const call = async (z, bundle, plan, body, options = {}) => {
  const described = operations[plan.operation];
  const byId = Object.fromEntries(
    Object.entries(plan.inputs).map(([id, source]) => [id, sourceValue(source, body, options.platform ?? {})]),
  );
  const values = own(described.inputs, { ...byId, ...options.more });
  const request = toPage(z, bundle, await requestOf(z, bundle, described, values), options.url);
  const response = await send(z, bundle, request, described, options);
  if (options.withResponse) return { response, data: answerOf(z, described, response) };
  return answerOf(z, described, response);
};

module.exports = { answerOf, asObject, call, isEmpty, own, requestOf, send, toPage };
