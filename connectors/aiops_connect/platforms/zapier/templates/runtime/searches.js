'use strict';

// Searches: one thing by what tells it from others, or the first page of a list in which something is wanted.

const { halted } = require('./errors');
const { hydrators, withFiles } = require('./files');
const { asking, following } = require('./pages');
const { at } = require('./pointers');
const { answerOf, asObject, isEmpty, own, requestOf, send, toPage } = require('./requests');
const { valuesOf } = require('./values');

const SEARCH_MS = 25_000; // Zapier ends a step after 30 seconds
const PAGES_MAX = 20;

/** @type {(plan: Plan, bundle: Bundle, item: Json) => boolean} */
const isWanted = (plan, bundle, item) => {
  if (plan.narrow === undefined) return true;
  const text = String(bundle.inputData?.[plan.narrow.key] ?? '').trim().toLowerCase();
  return text === '' || String(at(item, plan.narrow.pointer) ?? '').toLowerCase() === text;
};

// What is not there is not found: no error, and no item where nothing came back although something was described.
/** @type {(z: Z, bundle: Bundle, plan: Plan, values: InputValue[], at: Position, timeoutMs: number) => Promise<Found>} */
const page = async (z, bundle, plan, values, position, timeoutMs) => {
  const { more = {}, url } = asking(plan.paging, position);
  const request = await requestOf(z, bundle, plan.call, [...values, ...own(plan.call.own ?? {}, more)]);
  const response = await send(z, bundle, toPage(z, bundle, request, url), plan.call, { expected: [404], timeoutMs });
  if (response.status === 404 || (plan.call.answer !== 'none' && isEmpty(response))) return { found: [] };
  const answer = answerOf(z, plan.call, response);
  const items = [(plan.items === undefined ? answer : at(answer, plan.items)) ?? []].flat();
  const found = items.map((item) => withFiles(z, asObject(item), plan.files)).filter((item) => isWanted(plan, bundle, item));
  return { found, next: following(plan.paging, position, { answer, items, response }) };
};

/** @type {(z: Z, bundle: Bundle, plan: Plan) => Promise<Json[]>} */
const searched = async (z, bundle, plan) => {
  const until = Date.now() + SEARCH_MS;
  const values = await valuesOf(z, bundle, plan.call.inputs);
  if (plan.call.answer === 'file') {
    return [{ file: z.dehydrateFile(hydrators.downloadAnswer, { described: plan.call, values }) }];
  }
  let position;
  for (let count = 0; count < PAGES_MAX && Date.now() < until; count += 1) {
    const { found, next } = await page(z, bundle, plan, values, position, until - Date.now());
    if (found.length > 0 || next === undefined) return found;
    position = next;
  }
  throw halted(z, 'The list is longer than a step can look through, and it was not found so far. Search for it more closely.');
};

module.exports = { searched };
