/** Lists that come page by page. */
import type { IExecuteFunctions, ILoadOptionsFunctions } from 'n8n-workflow';

import { at, isObject } from './pointer';
import { call } from './transport';
import type { Answer, Api, Operation, Pages, Value, Values } from './types';

const PAGES_MAX = 10_000;

/** The items, at most `limit` of them. */
export async function items(
	context: IExecuteFunctions,
	api: Api,
	operation: Operation,
	values: Values,
	itemIndex: number,
	limit: number,
): Promise<unknown[]> {
	const pages = operation.pages as Pages;
	const found: unknown[] = [];
	const asked: Values = new Map(values);
	if (pages.limit !== undefined) asked.set(pages.limit, pageSize(operation, limit));
	for (let page = 0; page < PAGES_MAX; page += 1) {
		const answer = await call(context, api, operation, asked, { itemIndex });
		const here = listOf(at(answer.body, pages.items));
		found.push(...here);
		const next = following(operation, pages, answer, asked, here, found.length);
		if (found.length >= limit || next === undefined || here.length === 0) break;
		for (const [id, value] of next) asked.set(id, value);
	}
	return found.slice(0, limit);
}

/** One page for a list to choose from, and what the next one is asked for with. */
export async function page(
	context: ILoadOptionsFunctions,
	api: Api,
	operation: Operation,
	values: Values,
	token: string | undefined,
	pointer: string,
): Promise<{ items: unknown[]; token?: string }> {
	const { pages } = operation;
	const asked: Values = new Map(values);
	const [seen, changed] = token === undefined ? [0, []] : (JSON.parse(token) as [number, Changed]);
	for (const [id, value] of changed) asked.set(id, value);
	const answer = await call(context, api, operation, asked);
	const here = listOf(at(answer.body, pointer));
	const next = pages === undefined ? undefined : following(operation, pages, answer, asked, here, seen + here.length);
	if (next === undefined || here.length === 0) return { items: here };
	return { items: here, token: JSON.stringify([seen + here.length, next]) };
}

function pageSize(operation: Operation, wanted: number): number {
	return Math.max(1, Math.min(wanted, operation.pageSizeMax ?? 100));
}

function listOf(value: unknown): unknown[] {
	if (Array.isArray(value)) return value;
	return value === undefined || value === null ? [] : [value];
}

/** Inputs, by their ids, that are otherwise for the next page than for this one. */
type Changed = Array<[string, Value]>;

/** What asks for the next page; undefined where this was the last. */
function following(
	operation: Operation,
	pages: Pages,
	answer: Answer,
	asked: Values,
	here: unknown[],
	seen: number,
): Changed | undefined {
	switch (pages.kind) {
		case 'cursor': {
			if (pages.more !== undefined && at(answer.body, pages.more) === false) return undefined;
			const next = at(pages.isOfItem ? here[here.length - 1] : answer.body, pages.next);
			return (typeof next === 'string' && next !== '') || typeof next === 'number' ? [[pages.field, next]] : undefined;
		}
		case 'offset':
			return [[pages.field, seen]];
		case 'page':
			return [[pages.field, Number(asked.get(pages.field) ?? pages.first) + 1]];
		case 'link':
			return linked(operation, pages.next === undefined ? named(answer.headers.link) : at(answer.body, pages.next), asked);
	}
}

/** The address of the next page in the header Link (RFC 8288). */
function named(header: string | undefined): string | undefined {
	return /<([^>]*)>[^,]*;\s*rel="?next"?/i.exec(header ?? '')?.[1];
}

/** What the address of the next page sets otherwise. It is asked for on the API's own host, wherever the link leads. */
function linked({ inputs }: Operation, address: unknown, asked: Values): Changed | undefined {
	if (typeof address !== 'string') return undefined;
	const query = new URLSearchParams(address.split('?')[1]?.split('#')[0] ?? '');
	const changed: Changed = [];
	for (const input of inputs.filter((one) => one.location === 'query')) {
		const value = query.get(input.name);
		const now = asked.get(input.id);
		if (value !== null && !isObject(now) && String(now ?? '') !== value) changed.push([input.id, value]);
	}
	return changed.length === 0 ? undefined : changed;
}
