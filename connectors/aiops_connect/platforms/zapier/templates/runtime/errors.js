'use strict';

// What an answer means for a Zap: stop it, hold it, try again later, or ask people to connect again.

const { at } = require('./pointers');
const settings = require('../settings.json');

const MESSAGE_LENGTH_MAX = 500;
const DETAILS_MAX = 3;
const SECONDS_MAX = 3600;
const USUAL_MESSAGES = ['/error/message', '/message', '/error', '/detail', '/title'];

// Without this mark, the platform adds the inputs of the step to what people read.
const unadorned = (error) => Object.assign(error, { doNotContextify: true });

const halted = (z, message) => unadorned(new z.errors.HaltedError(message));
const failed = (z, message, code, status) => new z.errors.Error(message, code, status);

const parsed = (response) => {
  try {
    return JSON.parse(response.content);
  } catch {
    return undefined; // a page of HTML, a file, or a stream: nothing to show people
  }
};

const secrets = (bundle) => Object.values(bundle?.authData ?? {}).filter((one) => String(one).length > 5);

const withoutSecrets = (text, bundle) =>
  secrets(bundle).reduce((shown, secret) => shown.replaceAll(String(secret), '…'), text);

const details = (body) => {
  const listed = [body?.details, body?.errors].find(Array.isArray) ?? [];
  return listed
    .slice(0, DETAILS_MAX)
    .filter((one) => typeof one?.message === 'string')
    .map((one) => (typeof one.field === 'string' ? `${one.field}: ${one.message}` : one.message));
};

const sentence = (text) => (/[.!?…]$/.test(text) ? text : `${text}.`);

// What the API says, for people: at most a few sentences, without markup and without what is secret.
const messageOf = (response, bundle, pointers) => {
  const body = parsed(response);
  const said = [...pointers, ...USUAL_MESSAGES]
    .map((pointer) => at(body, pointer))
    .find((one) => typeof one === 'string' && one.trim() !== '');
  const reason = typeof body?.reason === 'string' ? body.reason : undefined;
  const refunded = body?.refunded === true ? 'The credits were refunded' : undefined;
  const told = [said ?? `${settings.title} answered with status ${response.status}`, reason, ...details(body), refunded]
    .filter(Boolean)
    .map((one) => sentence(one.trim()));
  return withoutSecrets(told.join(' '), bundle).slice(0, MESSAGE_LENGTH_MAX);
};

// The header Retry-After in seconds (RFC 9110, section 10.2.3): a number, or a date.
const secondsUntil = (header, now = Date.now()) => {
  if (!header) return undefined;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : Math.ceil((Date.parse(header) - now) / 1000);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), SECONDS_MAX) : undefined;
};

const asError = (response, z, bundle) => {
  const { messages = [], isTest = false } = response.request?.middlewareData ?? {};
  const message = messageOf(response, bundle, messages);
  const seconds = secondsUntil(response.headers.get('retry-after'));
  const { status } = response;
  if (status === 401) {
    return isTest
      ? failed(z, `${message} Check what you entered and try again.`, 'AuthenticationError', 401)
      : unadorned(new z.errors.ExpiredAuthError(message));
  }
  if (status === 402) return halted(z, `${message} Top up at ${settings.homepage} and replay the run.`);
  if (status === 429) return new z.errors.ThrottledError(message, seconds);
  if (status < 500 && seconds !== undefined) return new z.errors.ThrottledError(message, seconds);
  if (status < 500) return halted(z, message);
  return failed(z, message, 'ServerError', status);
};

// Runs after each request; what the caller expects, it looks at itself.
const checkAnswer = (response, z, bundle) => {
  const expected = response.request?.middlewareData?.expected ?? [];
  response.skipThrowForStatus = true;
  if (response.status >= 400 && !expected.includes(response.status)) throw asError(response, z, bundle);
  return response;
};

module.exports = { checkAnswer, failed, halted, messageOf, secondsUntil, unadorned };
