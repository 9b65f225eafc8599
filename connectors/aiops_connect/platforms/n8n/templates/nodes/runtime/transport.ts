/** Calls to the API with the credential of the node. */
import type { IDataObject, IHttpRequestOptions, IN8nHttpFullResponse } from 'n8n-workflow';
import { sleep } from 'n8n-workflow';

import { isLost, isOfToken, isUnanswered, refused, retryAfter, statusOf, unreachable, unrenewed } from './errors';
import { at, isObject } from './pointer';
import { followed } from './redirects';
import { request, serverOf } from './request';
import { close, isOpen } from './streams';
import type { Answer, Api, Call, Caller, Operation, Value, Values } from './types';

const TIMEOUT_MILLISECONDS = 300_000;
/** How long a call that came too early waits in all before people are told, unless it is to be less. */
const PATIENCE_SECONDS = 65;
/** The pauses before a call under a key is made again, and for how long in all one is begun. */
const REPEATS_SECONDS = [1, 2, 4, 8];
const REPEATS_MILLISECONDS = 600_000;
const UNAUTHORIZED = 401;
const TOO_MANY = 429;

export interface CallOptions {
	itemIndex?: number;
	timeoutMilliseconds?: number;
	/** How long a call that came too early waits at most. */
	patienceSeconds?: number;
	/** The link in an answer before that leads to this one. */
	link?: string;
	/** The call is made, and not cut off, although the execution is being stopped. */
	isDetached?: boolean;
	/** n8n has renewed the token, and could not send a file anew, which is read once. */
	isAgain?: boolean;
}

/**
 * The answer to a call, whatever its status below 400. Waits where the service says so with 429 and Retry-After. A call under
 * a key that gets no answer is made again: the service may have taken it, and answers what it has made of it.
 */
export async function call(
	context: Caller,
	api: Api,
	operation: Operation,
	values: Values,
	options: CallOptions = {},
): Promise<Answer> {
	const pauses = operation.idempotency !== undefined && values.has(operation.idempotency) ? REPEATS_SECONDS : [];
	const deadline = Date.now() + REPEATS_MILLISECONDS;
	let lost: unknown;
	for (let tries = 0; ; tries += 1) {
		let failed: unknown;
		try {
			return await admitted(context, api, operation, values, options);
		} catch (cause) {
			failed = cause;
		}
		if (isLost(failed)) lost ??= failed;
		if (lost === undefined || !(isUnanswered(failed) || statusOf(failed) >= 500)) throw failed;
		if (tries >= pauses.length || Date.now() >= deadline || isStopped(context)) throw lost;
		await pause(context, pauses[tries]);
	}
}

/** Whether the execution is being stopped. */
export function isStopped(context: Caller): boolean {
	return 'getExecutionCancelSignal' in context && context.getExecutionCancelSignal()?.aborted === true;
}

async function admitted(
	context: Caller,
	api: Api,
	operation: Operation,
	values: Values,
	options: CallOptions,
): Promise<Answer> {
	const itemIndex = options.itemIndex ?? 0;
	let patience = Math.min(options.patienceSeconds ?? Infinity, PATIENCE_SECONDS);
	for (;;) {
		const answer = await answered(context, api, operation, values, options);
		if (answer.status < 400 && !isElsewhere(answer)) return answer;
		const seconds = retryAfter(answer);
		if (answer.status !== TOO_MANY || seconds === undefined || seconds > patience || isStopped(context)) {
			throw refused(context.getNode(), itemIndex, operation, answer);
		}
		patience -= Math.max(seconds, 1);
		await pause(context, Math.max(seconds, 1));
	}
}

/** Seconds that pass, unless the execution is stopped. */
export async function pause(context: Caller, seconds: number): Promise<void> {
	const signal = 'getExecutionCancelSignal' in context ? context.getExecutionCancelSignal() : undefined;
	await sleep(seconds * 1000, signal);
}

/** What a call on the way takes from what came before. */
export function bound(one: Call['bindings'], before: unknown, platform: { url?: string; events?: string[] } = {}): Values {
	const values: Values = new Map();
	for (const { field, source } of one) {
		const value = sourced(source, before, platform);
		if (value !== undefined) values.set(field, value);
	}
	return values;
}

/** Whether an answer sends the call to another address, to which it was not followed. */
function isElsewhere({ status, headers }: Answer): boolean {
	return status >= 300 && status < 400 && headers.location !== undefined;
}

/** The name of the credential that the node uses. */
export function credentialOf(context: Caller, api: Api, itemIndex = 0): string {
	const [only] = api.credentials;
	if (api.credentials.length === 1) return only;
	const isExecuting = 'getInputData' in context;
	return (
		isExecuting ? context.getNodeParameter('authentication', itemIndex, only) : context.getNodeParameter('authentication', only)
	) as string;
}

async function answered(
	context: Caller,
	api: Api,
	operation: Operation,
	values: Values,
	options: CallOptions,
): Promise<Answer> {
	const itemIndex = options.itemIndex ?? 0;
	const credential = credentialOf(context, api, itemIndex);
	const isStream = operation.answer === 'bytes';
	const isFile = ['bytes', 'text'].includes(operation.answer);
	const isRenewed = api.renewed?.includes(credential) === true;
	const sender = { node: context.getNode(), itemIndex, base: await baseUrl(context, credential), link: options.link };
	const http: IHttpRequestOptions = {
		...(await request(operation, values, sender)),
		timeout: options.timeoutMilliseconds ?? TIMEOUT_MILLISECONDS,
		encoding: isStream ? 'stream' : 'text',
		ignoreHttpStatusErrors: isRenewed ? { ignore: true, except: [UNAUTHORIZED] } : true, // n8n renews a token at an error
	};
	const asked = { url: new URL(http.url).href, server: serverOf(operation, sender) };
	try {
		const caller = options.isDetached ? withoutSignal(context) : context;
		return { ...asked, ...(await read(context, await followed(caller, credential, http, isFile), isStream)) };
	} catch (cause) {
		const refusal = answerIn(cause);
		if (refusal !== undefined && isOpen(http.body) && !options.isAgain) {
			return await answered(context, api, operation, values, { ...options, isAgain: true });
		}
		if (refusal !== undefined) return { ...asked, ...(await read(context, refusal, isStream)) };
		if (isRenewed && isOfToken(cause)) throw unrenewed(context.getNode(), itemIndex, cause);
		throw unreachable(context.getNode(), itemIndex, operation, cause, isOpen(http.body));
	} finally {
		close(http.body);
	}
}

/** The answer of the API that n8n has made an error of. One with another status is the token endpoint's. */
function answerIn(cause: unknown): IN8nHttpFullResponse | undefined {
	const response = at(cause, '/cause/response');
	if (!isObject(response) || !isObject(response.headers) || response.status !== UNAUTHORIZED) return undefined;
	return { statusCode: Number(response.status), headers: response.headers as IDataObject, body: response.data as IDataObject };
}

async function baseUrl(context: Caller, credential: string): Promise<string> {
	const { baseUrl: address } = await context.getCredentials(credential);
	return String(address ?? '').trim();
}

/** n8n gives each call the signal of an execution that is stopped; the call that cancels a job must not have it. */
function withoutSignal(context: Caller): Caller {
	return new Proxy(context, { has: (target, name) => name !== 'getExecutionCancelSignal' && name in target });
}

type Read = Omit<Answer, 'server' | 'url'>;

async function read(context: Caller, response: IN8nHttpFullResponse, isStream: boolean): Promise<Read> {
	const headers: Answer['headers'] = {};
	for (const [name, value] of Object.entries(response.headers)) headers[name.toLowerCase()] = String(value);
	const status = response.statusCode;
	let { body } = response as { body: unknown };
	if (isStream && status >= 300 && 'binaryToBuffer' in context.helpers) {
		body = (await context.helpers.binaryToBuffer(body as Buffer)).toString('utf8');
	}
	if (typeof body === 'string' && (!isStream || status >= 300)) body = parsed(body, headers['content-type'] ?? '');
	return { status, headers, body };
}

function parsed(text: string, contentType: string): unknown {
	if (!/json/i.test(contentType)) return text;
	try {
		return JSON.parse(text) as unknown;
	} catch {
		return text;
	}
}

function sourced(
	source: Call['bindings'][number]['source'],
	before: unknown,
	platform: { url?: string; events?: string[] },
): Value | undefined {
	if ('value' in source) return source.value;
	if ('platform' in source) return source.platform === 'url' ? platform.url : platform.events;
	return at(before, source.pointer) as Value | undefined;
}
