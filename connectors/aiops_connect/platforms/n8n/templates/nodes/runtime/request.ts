/** An operation and the values of its inputs as one request. */
import type { IDataObject, IHttpRequestOptions } from 'n8n-workflow';

import { inHeader, inPath, inQuery, isFile, joined, multipart, plain } from './encoding';
import type { Pair } from './encoding';
import type { Input, Json, Operation, Value, Values } from './types';

/** The request without credentials. `base` is the address of the API. */
export function request(operation: Operation, values: Values, base: string): IHttpRequestOptions {
	const given = operation.inputs.flatMap((input): Array<[Input, Value]> => {
		const value = values.get(input.id);
		return value === undefined ? [] : [[input, value]];
	});
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
		ignoreHttpStatusErrors: true,
		sendCredentialsOnCrossOriginRedirect: false,
	};
	addBody(options, operation, of('body'));
	return options;
}

function address(operation: Operation, inPathOnes: Array<[Input, Value]>, query: Pair[], base: string): string {
	let path = operation.path;
	for (const [input, value] of inPathOnes) {
		const step = inPath(input, value);
		path = path.replace(`{${input.name}}`, () => (step === '.' || step === '..' ? step.replace(/\./g, '%2E') : step));
	}
	const url = (operation.server ?? base).replace(/\/+$/, '') + path;
	return query.length === 0 ? url : `${url}${path.includes('?') ? '&' : '?'}${joined(query)}`;
}

function addBody(options: IHttpRequestOptions, operation: Operation, parts: Array<[Input, Value]>): void {
	const { body } = operation;
	if (body === undefined || (parts.length === 0 && !body.required)) return;
	const headers = options.headers as IDataObject;
	headers['Content-Type'] = body.mediaType;
	const only = parts[0]?.[1];
	switch (body.format) {
		case 'json': {
			const json = body.isWhole ? ((only ?? null) as Json) : object(parts);
			options.body = Buffer.from(JSON.stringify(json));
			break;
		}
		case 'form':
			options.body = joined(parts.flatMap(([input, value]) => inQuery(input, value)));
			break;
		case 'multipart': {
			const made = multipart(parts);
			headers['Content-Type'] = made.contentType;
			options.body = made.body;
			break;
		}
		case 'text':
			options.body = plain(only ?? '');
			break;
		case 'bytes':
			options.body = isFile(only) ? only.data : Buffer.from(plain(only ?? ''));
			if (isFile(only) && body.mediaType.includes('*')) headers['Content-Type'] = only.mimeType;
			break;
	}
}

function object(parts: Array<[Input, Value]>): Json {
	return Object.fromEntries(
		parts.map(([input, value]) => [input.name, isFile(value) ? value.data.toString('base64') : value]),
	) as Json;
}
