'use strict';

// Lists that fill dropdowns, page by page.

const { at } = require('./pointers');
const { call } = require('./requests');

// What asks for the page that is wanted: inputs, or an address; undefined where there is no page any more.
const page = async (z, bundle, { paging }) => {
  const number = bundle.meta?.page ?? 0;
  if (!paging || (number === 0 && paging.kind !== 'page')) return {};
  if (paging.kind === 'page') return { more: { [paging.field]: paging.first + number } };
  const cursor = await z.cursor.get();
  if (!cursor) return undefined;
  if (paging.kind === 'link') return { url: cursor };
  return { more: { [paging.field]: paging.kind === 'offset' ? Number(cursor) : cursor } };
};

const linked = (response) => /<([^>]*)>[^,]*;\s*rel="?next"?/i.exec(response.headers.get('link') ?? '')?.[1];

// What asks for the page after this one; undefined where this is the last.
const following = async (z, bundle, { paging }, answer, items, response) => {
  switch (paging.kind) {
    case 'offset': {
      const before = bundle.meta?.page ? Number((await z.cursor.get()) ?? 0) : 0;
      return items.length === 0 ? undefined : before + items.length;
    }
    case 'link': {
      const next = paging.next === undefined ? linked(response) : at(answer, paging.next);
      return next ? new URL(next, response.request.url).href : undefined;
    }
    default:
      return paging.more && at(answer, paging.more) === false
        ? undefined
        : at(paging.ofItem ? items.at(-1) : answer, paging.next);
  }
};

const options = async (z, bundle, plan) => {
  const wanted = await page(z, bundle, plan);
  if (wanted === undefined) return [];
  const { response, data } = await call(z, bundle, plan.call, undefined, { ...wanted, withResponse: true });
  const items = at(data, plan.items) ?? [];
  if (plan.paging && plan.paging.kind !== 'page') {
    await z.cursor.set(String((await following(z, bundle, plan, data, items, response)) ?? ''));
  }
  return items.map((item) => ({ id: at(item, plan.value), name: String(at(item, plan.label) ?? at(item, plan.value)) }));
};

module.exports = { options };
