'use strict';

// From page to page of a list. A position is a number, a cursor or an address, whatever asks for a page; undefined asks
// for the first.

const { at } = require('./pointers');

// What asks for the page at a position: inputs, by their ids, or an address.
/** @type {(paging: Paging | undefined, position: Position) => { more?: Record<string, Json>, url?: string }} */
const asking = (paging, position) => {
  if (paging === undefined || (position === undefined && paging.kind !== 'page')) return {};
  switch (paging.kind) {
    case 'link':
      return { url: position };
    case 'page':
    case 'offset':
      return { more: { [paging.field]: Number(position ?? paging.first) } };
    default:
      return { more: { [paging.field]: position } };
  }
};

/** @type {(response: HttpAnswer) => string | undefined} */
const linked = (response) => /<([^>]*)>[^,]*;\s*rel="?next"?/i.exec(response.headers.get('link') ?? '')?.[1];

// The position of the page after this one; undefined where this is the last.
/** @type {(paging: Paging | undefined, position: Position, page: Page) => Position} */
const following = (paging, position, { answer, items, response }) => {
  if (paging === undefined) return undefined;
  switch (paging.kind) {
    case 'page':
      return items.length === 0 ? undefined : Number(position ?? paging.first) + 1;
    case 'offset':
      return items.length === 0 ? undefined : Number(position ?? 0) + items.length;
    case 'link': {
      const next = paging.next === undefined ? linked(response) : at(answer, paging.next);
      return next ? new URL(next, response.request.url).href : undefined;
    }
    default: {
      if (paging.more && at(answer, paging.more) === false) return undefined;
      return at(paging.ofItem ? items.at(-1) : answer, paging.next) || undefined;
    }
  }
};

module.exports = { asking, following };
