'use strict';

// Lists that fill dropdowns: Zapier asks for one page after another, and keeps the position for us.

const { asking, following } = require('./pages');
const { at } = require('./pointers');
const { call } = require('./requests');

/** @type {(z: Z, bundle: Bundle, plan: ListPlan) => Promise<{ id: Json, name: string }[]>} */
const options = async (z, bundle, plan) => {
  const isFirst = !bundle.meta?.page;
  const position = isFirst || !plan.paging ? undefined : await z.cursor.get();
  if (!isFirst && !position) return [];
  const asked = asking(plan.paging, position);
  const { response, data } = await call(z, bundle, plan.call, undefined, { ...asked, withResponse: true });
  const listed = at(data, plan.items);
  /** @type {Json[]} */
  const items = Array.isArray(listed) ? listed : [];
  if (plan.paging) await z.cursor.set(String(following(plan.paging, position, { answer: data, items, response }) ?? ''));
  return items.map((item) => ({ id: at(item, plan.value), name: String(at(item, plan.label) ?? at(item, plan.value)) }));
};

module.exports = { options };
