/** Lists that come page by page. */
import { NodeOperationError } from 'n8n-workflow';
import type { ILoadOptionsFunctions, INode } from 'n8n-workflow';

import { at } from './pointer';
import { misled, reached } from './request';
import { call } from './transport';
import type { Answer, Api, Caller, Operation, Pages, Value, Values } from './types';

const PAGES_MAX = 10_000;
/** How many pages may be empty one after another. Services that filter what they have read answer a few such pages. */
const EMPTY_MAX = 100;

/** The items, at most `limit` of them. Throws where the service goes on for ever without any. */
export async function items(
	context: Caller,
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
	const whose = { node: context.getNode(), itemIndex };
	let link: string | undefined;
	let empty = 0;
	for (let page = 0; page < PAGES_MAX; page += 1) {
		const answer = await call(context, api, operation, asked, { itemIndex, link });
		const here = listOf(at(answer.body, pages.items));
		found.push(...here);
		const next = following(pages, answer, asked, here, found.length, whose);
		if (found.length >= limit || next === undefined) break;
		empty = here.length === 0 ? empty + 1 : 0;
		if (empty >= EMPTY_MAX) throw endless(whose);
		for (const [id, value] of next.values) asked.set(id, value);
		({ link } = next);
	}
	return found.slice(0, limit);
}

function endless({ node, itemIndex }: Whose): NodeOperationError {
	const description = 'Set a limit instead of Return All, or ask the publisher of the service why its list does not end.';
	const message = `The service has answered ${EMPTY_MAX} empty pages one after another [item ${itemIndex}]`;
	return new NodeOperationError(node, message, { itemIndex, description });
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
	const [seen, { values: changed, link }] = token === undefined ? [0, { values: [] } as Next] : (JSON.parse(token) as [number, Next]);
	for (const [id, value] of changed) asked.set(id, value);
	const answer = await call(context, api, operation, asked, { link });
	const here = listOf(at(answer.body, pointer));
	const whose = { node: context.getNode(), itemIndex: 0 };
	const next = pages === undefined ? undefined : following(pages, answer, asked, here, seen + here.length, whose);
	if (next === undefined) return { items: here };
	return { items: here, token: JSON.stringify([seen + here.length, next]) };
}

function pageSize(operation: Operation, wanted: number): number {
	return Math.max(1, Math.min(wanted, operation.pageSizeMax ?? 100));
}

function listOf(value: unknown): unknown[] {
	if (Array.isArray(value)) return value;
	return value === undefined || value === null ? [] : [value];
}

/** What is otherwise for the next page than for this one: inputs, by their ids, or the address as a whole. */
interface Next {
	values: Array<[string, Value]>;
	link?: string;
}

/** Whose list it is. */
interface Whose {
	node: INode;
	itemIndex: number;
}

/** What asks for the next page; undefined where this was the last. So is an empty one, unless the answer tells of more. */
function following(pages: Pages, answer: Answer, asked: Values, here: unknown[], seen: number, whose: Whose): Next | undefined {
	if (pages.kind === 'link') {
		const link = pages.next === undefined ? named(answer.headers.link) : at(answer.body, pages.next);
		return typeof link === 'string' && link !== '' ? linked(link, answer, whose) : undefined;
	}
	const value = valueOfNext(pages, answer, asked, here, seen);
	return value === undefined ? undefined : { values: [[pages.field, value]] };
}

function valueOfNext(
	pages: Exclude<Pages, { kind: 'link' }>,
	answer: Answer,
	asked: Values,
	here: unknown[],
	seen: number,
): Value | undefined {
	switch (pages.kind) {
		case 'cursor': {
			if (pages.more !== undefined && at(answer.body, pages.more) === false) return undefined;
			const next = at(pages.isOfItem ? here[here.length - 1] : answer.body, pages.next);
			const isOne = (typeof next === 'string' && next !== '') || typeof next === 'number';
			return isOne && next !== asked.get(pages.field) ? next : undefined;
		}
		case 'offset':
			return here.length === 0 ? undefined : seen;
		case 'page':
			return here.length === 0 ? undefined : Number(asked.get(pages.field) ?? pages.first) + 1;
	}
}

/** The address of the next page in the header Link (RFC 8288). */
function named(header: string | undefined): string | undefined {
	return /<([^>]*)>[^,]*;\s*rel="?next"?/i.exec(header ?? '')?.[1];
}

/** The page that a link leads to; undefined where it leads back to the same. One that is no address is told when asked for. */
function linked(link: string, { url: asked, server }: Answer, whose: Whose): Next | undefined {
	const url = reached(link, { asked, server });
	if (url !== asked) return { values: [], link: url ?? link };
	if (new URL(link, asked).href === asked) return undefined;
	throw misled('leads out of the service, and is not followed', link, whose);
}
