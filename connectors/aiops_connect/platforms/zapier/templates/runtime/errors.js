'use strict';

// What an answer means for a Zap: stop it, hold it, try again later, or ask people to connect again.

const { at } = require('./pointers');
/** @type {Settings} */
const settings = require('../settings.json');

const MESSAGE_LENGTH_MAX = 500;
const BODY_BYTES_MAX = 64 * 1024;
const DETAILS_MAX = 3;
const SECONDS_MAX = 3600;
// Nothing of the request has come to the server, or not to the right one.
const UNSENT = /^(EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND)$|CERT/;
const OF_A_PROXY = [502, 504]; // that got no answer of the server
const NOT_IDEMPOTENT = ['PATCH', 'POST']; // RFC 9110, section 9.2.2
const USUAL_MESSAGES = ['/error/message', '/message', '/error', '/detail', '/title'];
const USUAL_DETAILS = [
  { items: '/details', message: '/message', field: '/field' },
  { items: '/errors', message: '/message', field: '/field' },
  { items: '/detail', message: '/msg', field: '/loc' }, // FastAPI's
];

// Without this mark, the platform adds the inputs of the step to what people read.
/** @type {<E extends Error>(error: E) => E} */
const unadorned = (error) => Object.assign(error, { doNotContextify: true });

/** @type {(z: Z, message: string) => Error} */
const halted = (z, message) => unadorned(new z.errors.HaltedError(message));
/** @type {(z: Z, message: string, code: string, status?: number) => Error} */
const failed = (z, message, code, status) => new z.errors.Error(message, code, status);

// Where nobody knows whether the work was done. Zapier repeats by itself what fails, but not what is halted: so is what
// two calls would do twice. `isRepeatable`: it carries a key by which the API knows a repeat.
/** @type {(z: Z, request: Partial<SentRequest>, message: string, code: string, status?: number) => Error} */
const undecided = (z, { method = 'GET', middlewareData }, message, code, status) => {
  if (!NOT_IDEMPOTENT.includes(method)) return failed(z, `${message} Try again later.`, code, status);
  const told = `${message} It may still have done the work`;
  return middlewareData?.isRepeatable
    ? failed(z, `${told}; a replay does not repeat it.`, code, status)
    : halted(z, `${told}; look before you replay the run.`);
};

// Of what a header cannot carry, the platform shows people the whole header, be it a key.
/** @type {(z: Z, value: string, label: string) => string} */
const sendable = (z, value, label) => {
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value.trim())) {
    throw halted(z, `${label} has a character that cannot be sent, such as "…". Enter it anew.`);
  }
  return value;
};

/** @type {(content: string) => Json} */
const parsed = (content) => {
  try {
    return JSON.parse(content);
  } catch {
    return undefined; // a page of HTML, or a file: nothing to show people
  }
};

// The beginning, where the body is still to be read, as it is of what may be a file.
/** @type {(response: HttpAnswer) => Promise<string>} */
const contentOf = async (response) => {
  if (!response.request?.raw) return response.content;
  let content = Buffer.alloc(0);
  for await (const chunk of response.body ?? []) {
    content = Buffer.concat([content, chunk]);
    if (content.length > BODY_BYTES_MAX) break;
  }
  return content.toString();
};

/** @type {(bundle: Bundle) => string[]} */
const secrets = (bundle) => Object.values(bundle?.authData ?? {}).filter((one) => String(one).length > 5);

/** @type {(text: string, bundle: Bundle) => string} */
const withoutSecrets = (text, bundle) =>
  secrets(bundle).reduce((shown, secret) => shown.replaceAll(String(secret), '…'), text);

// The first of what a list says is wrong, each with its input: a name, or the names that lead to it.
/** @type {(body: Json, list: ErrorList) => string[]} */
const listed = (body, { items, message, field }) => {
  const found = at(body, items);
  if (!Array.isArray(found)) return [];
  return found
    .slice(0, DETAILS_MAX)
    .filter((one) => typeof at(one, message) === 'string')
    .map((one) => {
      const names = field === undefined ? [] : [at(one, field)].flat();
      const name = names.filter((step) => ['string', 'number'].includes(typeof step)).join('.');
      return name === '' ? at(one, message) : `${name}: ${at(one, message)}`;
    });
};

/** @type {(body: Json, lists: ErrorList[]) => string[]} */
const details = (body, lists) =>
  [...lists, ...USUAL_DETAILS].map((list) => listed(body, list)).find((told) => told.length > 0) ?? [];

/** @type {(text: string) => string} */
const sentence = (text) => (/[.!?…]$/.test(text) ? text : `${text}.`);

// What is left and what it takes, as far as the API says it in numbers: `Credits: 1, cost: 5.`
/** @type {(body: Json) => string} */
const figures = (body) => {
  const told = Object.entries(body ?? {})
    .filter(([, value]) => typeof value === 'number')
    .slice(0, DETAILS_MAX)
    .map(([name, value]) => `${name.replaceAll('_', ' ')}: ${value}`)
    .join(', ');
  return told === '' ? '' : ` ${sentence(told[0].toUpperCase() + told.slice(1))}`;
};

// What the API says, for people: at most a few sentences, without markup and without what is secret.
/** @type {(response: HttpAnswer, content: string, bundle: Bundle) => string} */
const messageOf = (response, content, bundle) => {
  const { messages = [], details: lists = [], isPaid = false } = response.request?.middlewareData ?? {};
  const body = parsed(content);
  const said = [...messages, ...USUAL_MESSAGES]
    .map((pointer) => at(body, pointer))
    .find((one) => typeof one === 'string' && one.trim() !== '');
  const reason = typeof body?.reason === 'string' ? body.reason : undefined;
  const refunded = isPaid && body?.refunded === true ? 'The credits were refunded' : undefined;
  const told = [said ?? `${settings.title} answered with status ${response.status}`, reason, ...details(body, lists), refunded]
    .filter(Boolean)
    .map((one) => sentence(one.trim()));
  return withoutSecrets(told.join(' '), bundle).slice(0, MESSAGE_LENGTH_MAX);
};

// The header Retry-After in seconds (RFC 9110, section 10.2.3): a number, or a date.
/** @type {(header: string | null, now?: number) => number | undefined} */
const secondsUntil = (header, now = Date.now()) => {
  if (!header) return undefined;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : Math.ceil((Date.parse(header) - now) / 1000);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), SECONDS_MAX) : undefined;
};

/** @type {(response: HttpAnswer, content: string, z: Z, bundle: Bundle) => Error} */
const asError = (response, content, z, bundle) => {
  const { isTest = false } = response.request?.middlewareData ?? {};
  const message = messageOf(response, content, bundle);
  const seconds = secondsUntil(response.headers.get('retry-after'));
  const { status } = response;
  if (status === 401) {
    return isTest
      ? failed(z, `${message} Check what you entered and try again.`, 'AuthenticationError', 401)
      : unadorned(new z.errors.ExpiredAuthError(message));
  }
  if (status === 402) {
    return halted(z, `${message}${figures(parsed(content))} Top up at ${settings.homepage} and replay the run.`);
  }
  if (status === 429) return new z.errors.ThrottledError(message, seconds);
  if (status < 500 && seconds !== undefined) return new z.errors.ThrottledError(message, seconds);
  if (status < 500) return halted(z, message);
  if (OF_A_PROXY.includes(status)) return undecided(z, response.request, message, 'ServerError', status);
  return failed(z, message, 'ServerError', status);
};

// What became of a request to which there was no answer, as an error; any other error as it is.
/** @type {(z: Z, error: any, who: string, seconds: number, request: Partial<SentRequest>) => Error} */
const unanswered = (z, error, who, seconds, request) => {
  if (error.name !== 'FetchError' && error.name !== 'AbortError') return error;
  if (UNSENT.test(error.code)) return failed(z, `${who} cannot be reached at the moment. Try again later.`, 'NetworkError');
  const what = /timeout/i.test(error.message) ? `did not answer within ${seconds} seconds` : 'gave no answer';
  return undecided(z, request, `${who} ${what}.`, 'NetworkError');
};

// Runs after each request; what the caller expects, and what hosts of files answer, the caller looks at itself.
/** @type {(response: HttpAnswer, z: Z, bundle: Bundle) => Promise<HttpAnswer>} */
const checkAnswer = async (response, z, bundle) => {
  const { expected = [], isOfFile = false } = response.request?.middlewareData ?? {};
  response.skipThrowForStatus = true;
  if (response.status < 400 || isOfFile || expected.includes(response.status)) return response;
  throw asError(response, await contentOf(response), z, bundle);
};

module.exports = { checkAnswer, failed, halted, secondsUntil, sendable, unanswered, undecided };
