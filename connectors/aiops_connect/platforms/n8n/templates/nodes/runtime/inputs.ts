/** Parameters of the node as values of an operation's inputs: those that are set, and no others. */
import { NodeOperationError, tryToParseDateTime } from 'n8n-workflow';
import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';

import { fileOf, linkTo } from './files';
import { isObject } from './pointer';
import type { Api, Input, Json, Member, Operation, Shape, Value, Values } from './types';

/** Shapes of which null may be a value, also within a group or a list. */
const NULLS = ['choice', 'json'];

/** The values for one item. */
export async function values(
	context: IExecuteFunctions,
	api: Api,
	operation: Operation,
	itemIndex: number,
): Promise<Values> {
	const found: Values = new Map();
	for (const input of operation.inputs) {
		if (input.constant !== undefined) found.set(input.id, input.constant);
		if (input.shape.kind === 'link' && isFileChosen(context, input.shape, itemIndex)) {
			found.set(input.id, await link(context, api, input.shape, itemIndex));
			continue;
		}
		const raw = chosen(parameter(context, input, itemIndex));
		if (raw === undefined || (raw === '' && input.shape.kind !== 'text')) continue;
		if (raw === null) {
			if (input.isNullable) found.set(input.id, null);
			continue;
		}
		const value = await converted(context, input.label, input.shape, raw, itemIndex);
		if (value !== undefined) found.set(input.id, value);
	}
	return found;
}

function parameter(context: IExecuteFunctions, input: Input, itemIndex: number): unknown {
	if (input.parameter === undefined) return undefined;
	if (input.collection === undefined) return context.getNodeParameter(input.parameter, itemIndex);
	const collection = context.getNodeParameter(input.collection, itemIndex, {}) as IDataObject;
	return collection[input.parameter];
}

type Link = Extract<Shape, { kind: 'link' }>;

function isFileChosen(context: IExecuteFunctions, shape: Link, itemIndex: number): boolean {
	return context.getNodeParameter(shape.source, itemIndex) === 'file';
}

async function link(context: IExecuteFunctions, api: Api, shape: Link, itemIndex: number): Promise<Value> {
	const name = context.getNodeParameter(shape.data, itemIndex) as string;
	const file = await fileOf(context, itemIndex, name);
	return await linkTo(context, api, shape.upload, file, itemIndex);
}

async function converted(
	context: IExecuteFunctions,
	label: string,
	shape: Shape,
	raw: unknown,
	itemIndex: number,
): Promise<Value | undefined> {
	if (raw === undefined || (raw === null && !NULLS.includes(shape.kind))) return undefined;
	switch (shape.kind) {
		case 'text':
		case 'link':
		case 'time':
			return text(context, label, raw, itemIndex);
		case 'integer':
		case 'number':
			return numeric(context, label, raw, shape.kind === 'integer', itemIndex);
		case 'boolean':
			return typeof raw === 'string' ? raw === 'true' : Boolean(raw);
		case 'dateTime':
		case 'date':
			return moment(context, label, raw, shape.kind, itemIndex);
		case 'choice':
			return typeof raw === 'string' && shape.prefix !== undefined && raw.startsWith(shape.prefix)
				? raw.slice(shape.prefix.length)
				: (raw as Json);
		case 'json':
			return parsed(context, label, raw, itemIndex);
		case 'file': {
			const file = await fileOf(context, itemIndex, String(raw));
			return shape.as === 'base64' ? (await file.whole()).toString('base64') : file;
		}
		case 'list':
			return await list(context, label, shape.item, raw, itemIndex);
		case 'group':
			return await groups(context, label, shape, raw, itemIndex);
		case 'union':
			return await union(context, label, shape, raw, itemIndex);
	}
}

/** What a resource locator holds; any other value as it is. */
function chosen(raw: unknown): unknown {
	return isObject(raw) && raw.__rl === true ? raw.value : raw;
}

async function list(
	context: IExecuteFunctions,
	label: string,
	item: Shape,
	raw: unknown,
	itemIndex: number,
): Promise<Json> {
	const given = Array.isArray(raw) ? raw : typeof raw === 'string' && raw.startsWith('[') ? parsed(context, label, raw, itemIndex) : [raw];
	const ones = Array.isArray(given) ? given : [given];
	const found: Json[] = [];
	for (const one of ones) {
		const value = await converted(context, label, item, one, itemIndex);
		if (value !== undefined) found.push(value as Json);
	}
	return found;
}

async function groups(
	context: IExecuteFunctions,
	label: string,
	shape: Extract<Shape, { kind: 'group' }>,
	raw: unknown,
	itemIndex: number,
): Promise<Json> {
	const held = shape.wrapped && isObject(raw) ? raw.values : raw;
	if (!shape.many) return await group(context, shape, held, itemIndex);
	const found: Json[] = [];
	for (const one of Array.isArray(held) ? held : []) found.push(await group(context, shape, one, itemIndex));
	return found;
}

async function group(
	context: IExecuteFunctions,
	shape: Extract<Shape, { kind: 'group' }>,
	raw: unknown,
	itemIndex: number,
): Promise<Json> {
	const held = isObject(raw) ? raw : {};
	const optional = shape.wrapped && isObject(held.additionalFields) ? held.additionalFields : held;
	const found: { [name: string]: Json | undefined } = { ...shape.constants };
	for (const member of shape.members) {
		const value = await converted(context, member.label, member.shape, memberIn(member, held, optional), itemIndex);
		if (value !== undefined) found[member.name] = value as Json;
	}
	return found;
}

async function union(
	context: IExecuteFunctions,
	label: string,
	shape: Extract<Shape, { kind: 'union' }>,
	raw: unknown,
	itemIndex: number,
): Promise<Value | undefined> {
	const held = isObject(raw) ? raw : {};
	const [first, ...others] = shape.variants.filter((variant) => held[variant.section] !== undefined);
	if (first === undefined) return undefined;
	if (others.length > 0) {
		const names = [first, ...others].map((variant) => variant.label).join(', ');
		throw new NodeOperationError(context.getNode(), `${label} has more than one form [item ${itemIndex}]`, {
			itemIndex,
			description: `Keep one of these and remove the others: ${names}.`,
		});
	}
	const value = await group(context, first.shape, held[first.section], itemIndex);
	return first.isBare && isObject(value) ? Object.values(value)[0] : value;
}

function memberIn(
	member: Member,
	required: { [name: string]: unknown },
	optional: { [name: string]: unknown },
): unknown {
	return member.optional ? optional[member.parameter] : required[member.parameter];
}

function numeric(
	context: IExecuteFunctions,
	label: string,
	raw: unknown,
	isInteger: boolean,
	itemIndex: number,
): number {
	const value = typeof raw === 'string' && raw.trim() === '' ? NaN : Number(raw);
	if (Number.isFinite(value) && (!isInteger || Number.isInteger(value))) return value;
	throw new NodeOperationError(context.getNode(), `${label} is not a ${isInteger ? 'whole number' : 'number'} [item ${itemIndex}]`, {
		itemIndex,
		description: `Enter a number. What is there now: ${String(raw).slice(0, 100)}`,
	});
}

/** An object has no text of its own: it would be sent, and charged, as "[object Object]". */
function text(context: IExecuteFunctions, label: string, raw: unknown, itemIndex: number): string {
	const ones = [raw].flat().map(dated);
	if (!ones.some(isObject)) return ones.join(',');
	throw new NodeOperationError(context.getNode(), `${label} is not a text [item ${itemIndex}]`, {
		itemIndex,
		description: `Choose one of its members, or make a text of it. What is there now: ${JSON.stringify(raw).slice(0, 100)}`,
	});
}

/** A moment as ISO 8601; anything else as it is. */
function dated(raw: unknown): unknown {
	if (isObject(raw) && typeof raw.toISO === 'function') return raw.toISO();
	return raw instanceof Date ? raw.toISOString() : raw;
}

function moment(
	context: IExecuteFunctions,
	label: string,
	raw: unknown,
	precision: 'dateTime' | 'date',
	itemIndex: number,
): string {
	const text = String(dated(raw));
	if (precision === 'date' && /^\d{4}-\d{2}-\d{2}/.test(text)) return text.slice(0, 10);
	const isZoned = /(Z|[+-]\d{2}:?\d{2})$/i.test(text);
	const date = isZoned ? new Date(text) : inTimeZone(text, context.getTimezone());
	if (!Number.isNaN(date.getTime())) return isZoned && text.includes('T') ? text : date.toISOString();
	throw new NodeOperationError(context.getNode(), `${label} is not a date [item ${itemIndex}]`, {
		itemIndex,
		description: 'Enter a date such as 2026-01-31T10:00:00Z.',
	});
}

/** A moment without an offset, as n8n's date picker gives it: one of the workflow's time zone. */
function inTimeZone(text: string, zone: string): Date {
	try {
		return /^\d{4}-\d{2}/.test(text) ? tryToParseDateTime(text, zone).toJSDate() : new Date(text);
	} catch {
		return new Date(NaN);
	}
}

function parsed(context: IExecuteFunctions, label: string, raw: unknown, itemIndex: number): Json {
	if (typeof raw !== 'string') return raw as Json;
	try {
		return JSON.parse(raw) as Json;
	} catch (cause) {
		throw new NodeOperationError(context.getNode(), `${label} is not valid JSON [item ${itemIndex}]`, {
			itemIndex,
			description: `Texts stand in double quotes. ${(cause as Error).message}`,
		});
	}
}
