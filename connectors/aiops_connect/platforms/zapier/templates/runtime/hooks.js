'use strict';

// Subscriptions, and what they deliver (standardwebhooks.com).

const { createHmac, timingSafeEqual } = require('node:crypto');

const { withFiles } = require('./files');
const { payloadOf } = require('./payloads');
const { at, putAt } = require('./pointers');
const { call } = require('./requests');

const TOLERANCE_SECONDS = 5 * 60;
const ITEMS_MAX = 3;

/** @type {(bundle: Bundle, plan: HookPlan) => Json[]} */
const chosen = (bundle, plan) => {
  const events = [bundle.inputData?.events ?? []].flat().filter((event) => plan.events.includes(event));
  return events.length === 0 ? plan.events : events;
};

/** @type {(z: Z, bundle: Bundle, plan: HookPlan) => Promise<Json>} */
const subscribe = (z, bundle, plan) =>
  call(z, bundle, plan.subscribe, undefined, { platform: { url: bundle.targetUrl, events: chosen(bundle, plan) } });

// What is gone already is what was wanted.
/** @type {(z: Z, bundle: Bundle, plan: HookPlan) => Promise<Json>} */
const unsubscribe = (z, bundle, plan) =>
  call(z, bundle, plan.unsubscribe, bundle.subscribeData, { expected: [404, 410] });

// Zapier hands headers on under their own names, or as `Http-Name`.
/** @type {(bundle: Bundle) => Record<string, string>} */
const headersOf = (bundle) =>
  Object.fromEntries(
    Object.entries(bundle.rawRequest?.headers ?? {}).map(([name, value]) => [name.toLowerCase().replace(/^http-/, ''), value]),
  );

/** @type {(bundle: Bundle, secret: string, now?: number) => boolean} */
const isSigned = (bundle, secret, now = Date.now()) => {
  const headers = headersOf(bundle);
  const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map((name) => headers[`webhook-${name}`]);
  if (!id || !timestamp || !signatures || typeof bundle.rawRequest?.content !== 'string') return false;
  if (!(Math.abs(now / 1000 - Number(timestamp)) <= TOLERANCE_SECONDS)) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${bundle.rawRequest.content}`).digest();
  return signatures
    .split(' ')
    .filter((one) => one.startsWith('v1,'))
    .map((one) => Buffer.from(one.slice(3), 'base64'))
    .some((one) => one.length === expected.length && timingSafeEqual(one, expected));
};

// A delivery that is not signed by the subscription's secret is nobody's, and starts no Zap.
/** @type {(z: Z, bundle: Bundle, plan: HookPlan) => Json[]} */
const deliver = (z, bundle, plan) => {
  const secret = plan.signature && at(bundle.subscribeData, plan.signature.secret);
  if (plan.signature && !(secret && isSigned(bundle, secret))) {
    z.console.log('A delivery without a valid signature was left aside.');
    return [];
  }
  return [payloadOf(bundle)]
    .flat()
    .filter((payload) => !plan.event || chosen(bundle, plan).includes(at(payload, plan.event)))
    .map((payload) => withFiles(z, payload, plan.files));
};

// An item of the API as a delivery of it, in the shape of the sample; nothing where it would start no Zap.
/** @type {(bundle: Bundle, plan: HookPlan, samples: Samples, item: Json) => Json[]} */
const asDelivery = (bundle, plan, samples, item) => {
  const payload = putAt(plan.sample ?? {}, samples.pointer, item);
  const { state, events = {} } = samples;
  if (state === undefined || plan.event === undefined) return [payload];
  const event = Object.entries(events).find(([value]) => value === at(item, state))?.[1];
  return chosen(bundle, plan).includes(event) ? [putAt(payload, plan.event, event)] : [];
};

// What a delivery would look like, made of what there is already.
/** @type {(z: Z, bundle: Bundle, plan: HookPlan) => Promise<Json[]>} */
const listed = async (z, bundle, plan) => {
  const { samples } = plan;
  if (!samples) return plan.sample ? [plan.sample] : [];
  const found = at(await call(z, bundle, samples), samples.items);
  /** @type {Json[]} */
  const items = Array.isArray(found) ? found : [];
  return items
    .flatMap((item) => asDelivery(bundle, plan, samples, item))
    .slice(0, ITEMS_MAX)
    .map((payload) => withFiles(z, payload, plan.files));
};

module.exports = { deliver, listed, subscribe, unsubscribe };
