/** An operation and the values of its inputs as one request. */
import { NodeOperationError } from 'n8n-workflow';
import type { IDataObject, IHttpRequestOptions, INode } from 'n8n-workflow';

import { inHeader, inPath, inQuery, isFile, joined, multipart, plain } from './encoding';
import type { Pair } from './encoding';
import { stream } from './streams';
import type { FileValue, Input, Json, Operation, Value, Values } from './types';

const TO_ANOTHER_PATH = /^(\.|%2e){1,2}$/i;

/** Whose request it is, the address of the API, and the link that the request follows, if any. */
export interface Sender {
	node: INode;
	itemIndex: number;
	base: string;
	link?: string;
}

/** The address of a call, and that of the API to which it went. */
export interface Asked {
	asked: string;
	server: string;
}

/** The request without credentials. */
export async function request(operation: Operation, values: Values, sender: Sender): Promise<IHttpRequestOptions> {
	const given: Array<[Input, Value]> = [];
	for (const input of operation.inputs) {
		const value = values.get(input.id);
		if (value !== undefined) given.push([input, isFile(value) && !takesFiles(operation, input) ? await asText(value) : value]);
	}
	const of = (location: Input['location']) => given.filter(([input]) => input.location === location);
	const headers: IDataObject = { Accept: operation.accept ?? 'application/json' };
	for (const [input, value] of of('header')) headers[input.name] = inHeader(input, value);
	const cookies = of('cookie').flatMap(([input, value]) => inQuery(input, value));
	if (cookies.length > 0) headers.Cookie = cookies.map(([name, value]) => `${name}=${value}`).join('; ');
	const url = address(operation, of('path'), of('query').flatMap(([input, value]) => inQuery(input, value)), sender);
	const options: IHttpRequestOptions = {
		method: operation.method,
		url: sender.link === undefined ? url : linked(sender.link, url, operation, sender),
		headers,
		returnFullResponse: true,
		disableFollowRedirect: true,
	};
	await addBody(options, operation, of('body'));
	return options;
}

/**
 * Where a link in an answer leads, from the address that was asked; undefined for none. The key goes to the API alone. A
 * service behind a proxy may know itself by another scheme, port, host or path: of a link out of the API only the query counts.
 */
export function reached(link: string, { asked, server }: Asked): string | undefined {
	const own = new URL(asked);
	if (!URL.canParse(link, asked)) return undefined;
	const there = new URL(link, asked);
	if (there.hostname === own.hostname && isWithin(there.pathname, new URL(server).pathname)) own.pathname = there.pathname;
	own.search = there.search;
	return own.href;
}

function isWithin(path: string, folder: string): boolean {
	return path.startsWith(folder.replace(/\/*$/, '/'));
}

function linked(link: string, asked: string, operation: Operation, sender: Sender): string {
	const url = reached(link, { asked, server: serverOf(operation, sender) });
	if (url === undefined) throw misled('is no address', link, sender);
	return url;
}

/** When a link to the next page is not to be followed. */
export function misled(why: string, link: string, { node, itemIndex }: Pick<Sender, 'itemIndex' | 'node'>): NodeOperationError {
	const description = `Ask the publisher of the service what this is: ${link.slice(0, 100)}`;
	return new NodeOperationError(node, `The link to the next page ${why} [item ${itemIndex}]`, { itemIndex, description });
}

function address(operation: Operation, given: Array<[Input, Value]>, query: Pair[], sender: Sender): string {
	let path = operation.path;
	for (const input of operation.inputs.filter((one) => one.location === 'path')) {
		const value = given.find(([one]) => one === input)?.[1];
		const step = value === undefined ? '' : inPath(input, value);
		const before = path;
		path = path.replace(`{${input.name}}`, () => step);
		if (step === '' || leadsAway(path, before)) throw misleading(input, step, sender);
	}
	const url = serverOf(operation, sender).replace(/\/+$/, '') + path;
	return query.length === 0 ? url : `${url}${path.includes('?') ? '&' : '?'}${joined(query)}`;
}

/** Where an operation is: a server of its own may be relative to the base URL. */
export function serverOf({ server }: Operation, { base, node, itemIndex }: Sender): string {
	if (server !== undefined && URL.canParse(server)) return server;
	if (URL.canParse(base) && /^https?:/i.test(base)) return server === undefined ? base : new URL(server, base).href;
	const description = `Enter it in the credential with https:// before it. What is there now: ${base}`;
	throw new NodeOperationError(node, `The base URL of the credential is no address [item ${itemIndex}]`, { itemIndex, description });
}

/** Whether a step of the path has become one that stands for the path itself or the one above (RFC 3986, 5.2.4). */
function leadsAway(path: string, before: string): boolean {
	const count = (text: string) => text.split(/[?#]/)[0].split('/').filter((step) => TO_ANOTHER_PATH.test(step)).length;
	return count(path) > count(before);
}

function misleading({ label }: Input, step: string, { node, itemIndex }: Sender): NodeOperationError {
	const [what, now] = step === '' ? ['is empty', ''] : ['would lead to another address', ` What is there now: ${step}`];
	const description = `Enter what the service knows it by.${now}`;
	return new NodeOperationError(node, `${label} ${what} [item ${itemIndex}]`, { itemIndex, description });
}

function takesFiles({ body }: Operation, { location }: Input): boolean {
	return location === 'body' && (body?.format === 'multipart' || body?.format === 'bytes');
}

async function asText(file: FileValue): Promise<string> {
	return (await file.whole()).toString('base64');
}

async function addBody(options: IHttpRequestOptions, operation: Operation, parts: Array<[Input, Value]>): Promise<void> {
	const { body } = operation;
	if (body === undefined || (parts.length === 0 && !body.required)) return;
	const headers = options.headers as IDataObject;
	headers['Content-Type'] = body.mediaType;
	const only = parts[0]?.[1];
	switch (body.format) {
		case 'json': {
			const json = body.isWhole ? ((only ?? null) as Json) : (Object.fromEntries(parts.map(([input, value]) => [input.name, value])) as Json);
			options.body = Buffer.from(JSON.stringify(json));
			break;
		}
		case 'form':
			options.body = joined(parts.flatMap(([input, value]) => inQuery(input, value)));
			break;
		case 'multipart': {
			const made = multipart(parts);
			headers['Content-Type'] = made.contentType;
			await stream(options, made.chunks);
			break;
		}
		case 'text':
			options.body = plain(only ?? '');
			break;
		case 'bytes':
			await stream(options, [isFile(only) ? only : Buffer.from(plain(only ?? ''))]);
			if (isFile(only) && body.mediaType.includes('*')) headers['Content-Type'] = only.mimeType;
			break;
	}
}
