'use strict';

// Lists that fill dropdowns, page by page.

const { at } = require('./pointers');
const { call } = require('./requests');

// The inputs that ask for the page that is wanted; undefined where there is none any more.
const page = async (z, bundle, { paging }) => {
  const number = bundle.meta?.page ?? 0;
  if (!paging || (number === 0 && paging.kind !== 'page')) return {};
  if (paging.kind === 'page') return { [paging.field]: paging.first + number };
  const cursor = await z.cursor.get();
  if (!cursor) return undefined;
  return paging.kind === 'offset' ? { [paging.field]: Number(cursor) } : { [paging.field]: cursor };
};

const remember = async (z, bundle, { paging }, answer, items) => {
  if (!paging || paging.kind === 'page' || paging.kind === 'link') return;
  if (paging.kind === 'offset') {
    const before = bundle.meta?.page ? Number((await z.cursor.get()) ?? 0) : 0;
    await z.cursor.set(items.length === 0 ? '' : String(before + items.length));
    return;
  }
  const next = at(paging.ofItem ? items.at(-1) : answer, paging.next);
  const isLast = next === undefined || next === null || (paging.more && at(answer, paging.more) === false);
  await z.cursor.set(isLast ? '' : String(next));
};

const options = async (z, bundle, plan) => {
  const more = await page(z, bundle, plan);
  if (more === undefined) return [];
  const answer = await call(z, bundle, plan.call, undefined, { more });
  const items = at(answer, plan.items) ?? [];
  await remember(z, bundle, plan, answer, items);
  return items.map((item) => ({ id: at(item, plan.value), name: String(at(item, plan.label) ?? at(item, plan.value)) }));
};

module.exports = { options };
