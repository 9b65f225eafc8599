/** An operation and the values of its inputs as one request. */
import type { IDataObject, IHttpRequestOptions } from 'n8n-workflow';

import { inHeader, inPath, inQuery, isFile, joined, multipart, plain } from './encoding';
import type { Pair } from './encoding';
import { stream } from './streams';
import type { FileValue, Input, Json, Operation, Value, Values } from './types';

/** The request without credentials. `base` is the address of the API. */
export async function request(operation: Operation, values: Values, base: string): Promise<IHttpRequestOptions> {
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
	const options: IHttpRequestOptions = {
		method: operation.method,
		url: address(operation, of('path'), of('query').flatMap(([input, value]) => inQuery(input, value)), base),
		headers,
		returnFullResponse: true,
		sendCredentialsOnCrossOriginRedirect: false,
	};
	await addBody(options, operation, of('body'));
	return options;
}

function address(operation: Operation, inPathOnes: Array<[Input, Value]>, query: Pair[], base: string): string {
	let path = operation.path;
	for (const [input, value] of inPathOnes) {
		const step = inPath(input, value);
		path = path.replace(`{${input.name}}`, () => (step === '.' || step === '..' ? step.replace(/\./g, '%2E') : step));
	}
	const server = operation.server === undefined ? base : new URL(operation.server, base).href;
	const url = server.replace(/\/+$/, '') + path;
	return query.length === 0 ? url : `${url}${path.includes('?') ? '&' : '?'}${joined(query)}`;
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
