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
	for (let page = 0; page < PAGES_MAX; page += 1) {
		if (pages.limit !== undefined) asked.set(pages.limit, pageSize(operation, limit - found.length));
		const answer = await call(context, api, operation, asked, { itemIndex });
		const here = listOf(at(answer.body, pages.items));
		found.push(...here);
		const next = following(pages, answer, asked, here, found.length);
		if (found.length >= limit || next === undefined || here.length === 0) break;
		asked.set(next[0], next[1]);
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
	const [seen, at_] = token === undefined ? [0, undefined] : (JSON.parse(token) as [number, Value]);
	if (pages !== undefined && pages.kind !== 'link' && at_ !== undefined) asked.set(pages.field, at_);
	const answer = await call(context, api, operation, asked);
	const here = listOf(at(answer.body, pointer));
	const next = pages === undefined ? undefined : following(pages, answer, asked, here, seen + here.length);
	if (next === undefined || here.length === 0 || pages?.kind === 'link') return { items: here };
	return { items: here, token: JSON.stringify([seen + here.length, next[1]]) };
}

function pageSize(operation: Operation, wanted: number): number {
	return Math.max(1, Math.min(wanted, operation.pageSizeMax ?? 100));
}

function listOf(value: unknown): unknown[] {
	if (Array.isArray(value)) return value;
	return value === undefined || value === null ? [] : [value];
}

/** The input and its value that ask for the next page; undefined where this was the last. */
function following(
	pages: Pages,
	answer: Answer,
	asked: Values,
	here: unknown[],
	seen: number,
): [string, Value] | undefined {
	switch (pages.kind) {
		case 'cursor': {
			if (pages.more !== undefined && at(answer.body, pages.more) === false) return undefined;
			const next = at(pages.isOfItem ? here[here.length - 1] : answer.body, pages.next);
			return typeof next === 'string' || typeof next === 'number' ? cursor(pages.field, next) : undefined;
		}
		case 'offset':
			return [pages.field, seen];
		case 'page':
			return [pages.field, Number(asked.get(pages.field) ?? pages.first) + 1];
		case 'link':
			return linked(pages.next === undefined ? named(answer.headers.link) : at(answer.body, pages.next), asked);
	}
}

function cursor(field: string, next: string | number): [string, Value] | undefined {
	return next === '' ? undefined : [field, next];
}

/** The address of the next page in the header Link (RFC 8288). */
function named(header: string | undefined): string | undefined {
	return /<([^>]*)>[^,]*;\s*rel="?next"?/i.exec(header ?? '')?.[1];
}

/** The parameter that the address of the next page has and this one has not: it is asked for on the API's own host. */
function linked(address: unknown, asked: Values): [string, Value] | undefined {
	if (typeof address !== 'string') return undefined;
	for (const pair of (address.split('?')[1] ?? '').split('&')) {
		const [name, value] = pair.split('=').map((text) => decodeURIComponent(text.replace(/\+/g, ' ')));
		if (value !== undefined && !isObject(asked.get(name)) && String(asked.get(name) ?? '') !== value) return [name, value];
	}
	return undefined;
}
