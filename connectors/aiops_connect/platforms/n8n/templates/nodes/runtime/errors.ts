/** What people read when a call does not succeed: what happened, in the API's own sentence, and what to do. */
import { NodeApiError } from 'n8n-workflow';
import type { IDataObject, INode, INodeExecutionData, JsonObject } from 'n8n-workflow';

import { at, isObject, textAt } from './pointer';
import type { Answer, ErrorFacts, Operation } from './types';

const DETAIL_LENGTH_MAX = 300;
const WHAT_HAPPENED: { [status: string]: string } = {
	400: 'The request was not understood',
	401: 'The credential was not accepted',
	402: 'The account has not enough credits',
	403: 'The credential does not allow this',
	404: 'There is nothing under this address',
	409: 'This conflicts with what is there',
	413: 'What was sent is too large',
	422: 'The input was not accepted',
	429: 'Too many calls were made',
};
const WHAT_TO_DO: { [status: string]: string } = {
	'3XX': 'If the service has moved there, enter that as the base URL of the credential.',
	401: 'Check the credential of this node.',
	403: 'Use a credential that may do this.',
	404: 'Check the ID, and the base URL of the credential.',
	429: 'Wait a moment, then run the node again.',
};

/** Said in words: n8n puts sentences of its own where it finds these codes in a message. */
const WHY: { [code: string]: string } = {
	ECONNABORTED: 'it gave no answer in time',
	ECONNREFUSED: 'the connection was refused',
	ECONNRESET: 'the connection was cut',
	EAI_AGAIN: 'its host name could not be looked up',
	EHOSTUNREACH: 'there is no way to its host',
	ENETUNREACH: 'there is no way to its host',
	ENOTFOUND: 'there is no such host',
	EPIPE: 'the connection was cut',
	EPROTO: 'no TLS connection came about',
	ERR_BAD_RESPONSE: 'the connection was cut',
	ETIMEDOUT: 'it gave no answer in time',
};
const UNKNOWN = 'the connection did not come about';
/** What Node.js calls a certificate that it does not accept. */
const OF_CERTIFICATE = /CERT|^UNABLE_TO_VERIFY/;
const CUT = ['ECONNRESET', 'EPIPE'];
/** Nothing of the call has come to the service. */
const UNSENT = ['EAI_AGAIN', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EPROTO'];
const NOT_NOW = [408, 425, 429];
/** What a proxy answers that got no answer of the service, where the service does not say that it answers so itself. */
const OF_A_PROXY = [502, 504];

export interface Details extends IDataObject {
	httpCode?: number;
	code?: string;
	jobId?: string;
	requestId?: string;
	retryAfterSeconds?: number;
}

/** Something that ends the work on an item. `details` reach the error output. */
export function failure(
	node: INode,
	itemIndex: number,
	message: string,
	description: string,
	details: Details = {},
): NodeApiError {
	const options = {
		message: `${message} [item ${itemIndex}]`,
		description,
		itemIndex,
		httpCode: details.httpCode === undefined ? undefined : String(details.httpCode),
	};
	const made = new NodeApiError(node, { message } as JsonObject, options);
	made.message = options.message;
	made.context.details = details;
	return made;
}

/** What a status of 400 or more says, or one that sends the call elsewhere. */
export function refused(node: INode, itemIndex: number, operation: Operation, answer: Answer): NodeApiError {
	const { status, body } = answer;
	const facts = factsOf(operation, status);
	const code = textAt(body, facts?.code);
	const own = textAt(body, facts?.message) || sentenceIn(body);
	const message = (status < 400 && sentOn(answer)) || own || WHAT_HAPPENED[status] || `The service answered with status ${status}`;
	const help = (code !== '' && facts?.codes[code]) || facts?.help || WHAT_TO_DO[status] || WHAT_TO_DO[classOf(status)] || '';
	const seconds = retryAfter(answer);
	const more = furtherDetails(body, [own, code, String(seconds)]);
	const details: Details = { httpCode: status, ...(isObject(body) ? (body as IDataObject) : {}) };
	const requestId = answer.headers['x-request-id'];
	if (requestId !== undefined) details.requestId = requestId;
	if (seconds !== undefined) details.retryAfterSeconds = seconds;
	const when = seconds === undefined ? '' : `The service takes calls again in ${seconds} seconds.`;
	const mayBeDone = OF_A_PROXY.includes(status) && (operation.errors[String(status)] ?? operation.errors['5XX']) === undefined && isWork(operation);
	const description = mayBeDone ? ofLost(operation) : [more, help, when].filter((text) => text !== '').join(' ');
	const made = failure(node, itemIndex, message, description, details);
	if (mayBeDone) made.context.unanswered = 'sent';
	return made;
}

/** A link can hold secrets in its query. */
function sentOn({ headers }: Answer): string {
	return `The service sends this call to another address: ${headers.location.split(/[?#]/)[0]}`;
}

/** The header Retry-After in seconds; undefined where there is none. */
export function retryAfter(answer: Answer): number | undefined {
	const text = answer.headers['retry-after'];
	if (text === undefined) return undefined;
	const seconds = /^\d+$/.test(text.trim()) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
	return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : undefined;
}

/** When nothing was answered. A service may refuse a file before it has all of it, and hang up then. */
export function unreachable(node: INode, itemIndex: number, operation: Operation, cause: unknown, hasFile: boolean): NodeApiError {
	const code = codeOf(cause);
	const details: Details = { reason: textAt(cause, '/message'), ...(code === '' ? {} : { code }) };
	if (hasFile && CUT.includes(code)) {
		const advice = 'Test the credential, and see how large a file may be. Then run the node again.';
		return failure(node, itemIndex, 'The service ended the call while a file was on its way', advice, details);
	}
	const isUnsent = UNSENT.includes(code) || OF_CERTIFICATE.test(code);
	const mayBeDone = !isUnsent && isWork(operation);
	const why = inWords(code);
	const message = mayBeDone ? 'No answer came from the service' : 'The service could not be reached';
	const advice = mayBeDone ? ofLost(operation) : 'Check the base URL of the credential, and that the service runs. Then run the node again.';
	const made = failure(node, itemIndex, `${message}: ${why}`, advice, details);
	made.context.unanswered = isUnsent ? 'unsent' : 'sent';
	return made;
}

/** Whether the call made twice may be done twice. */
function isWork({ method }: Operation): boolean {
	return ['PATCH', 'POST'].includes(method);
}

/** What to do where the service may have done what it was asked for. */
function ofLost({ idempotency, job }: Operation): string {
	const list = job?.list === undefined ? '' : ` ${job.list} shows whether it runs.`;
	if (idempotency === undefined) return `It may have been accepted all the same: see to that before you run the node again.${list}`;
	const again = 'Retry On Fail repeats it under the same key, and it is done once. A new execution is new work, unless the key is your own.';
	return `It may have been accepted all the same. ${again}${list}`;
}

/** Whether the service itself answered nothing to a call. */
export function isUnanswered(cause: unknown): boolean {
	return textAt(cause, '/context/unanswered') !== '';
}

/** Whether it may have taken the call all the same. */
export function isLost(cause: unknown): boolean {
	return textAt(cause, '/context/unanswered') === 'sent';
}

/** Whether the same call may succeed a little later. */
export function isPassing(cause: unknown): boolean {
	return isUnanswered(cause) || isLater(statusOf(cause));
}

/** Whether a status is one of a call that comes at the wrong time. */
export function isLater(status: number): boolean {
	return status >= 500 || NOT_NOW.includes(status);
}

/** The status that was answered; 0 where none was. */
export function statusOf(cause: unknown): number {
	return Number(at(cause, '/context/details/httpCode') ?? 0);
}

/** When n8n has no token, and gets none in place of one that has run out. */
export function unrenewed(node: INode, itemIndex: number, cause: unknown): NodeApiError {
	const advice = 'Open the credential and connect it again. Then run the node again.';
	return failure(node, itemIndex, 'The credential could not be renewed', advice, { reason: textAt(cause, '/message') });
}

/**
 * Whether what went wrong is n8n's token, and not the way to the service: that has codes of its own. What the token endpoint
 * answers is an error of OAuth, or another status below 500; or it is in the error, with one from 500 on.
 */
export function isOfToken(cause: unknown): boolean {
	return ['', 'EAUTH', 'ESTATUS'].includes(codeOf(cause)) || isObject(at(cause, '/cause/response'));
}

/** What went wrong on the way, in words. */
export function whyOf(cause: unknown): string {
	const code = codeOf(cause);
	return code === '' ? textAt(cause, '/message') : inWords(code);
}

function inWords(code: string): string {
	return WHY[code] ?? (OF_CERTIFICATE.test(code) ? 'its certificate was not accepted' : UNKNOWN);
}

function codeOf(cause: unknown): string {
	for (const pointer of ['/code', '/httpCode', '/cause/code', '/errorResponse/code']) {
		const code = textAt(cause, pointer);
		if (/^[A-Z_]+$/.test(code)) return code;
	}
	const named = /\b(E[A-Z]{4,}|[A-Z]+_[A-Z_]*CERT[A-Z_]*)\b/.exec(textAt(cause, '/message') + JSON.stringify(at(cause, '/messages') ?? ''));
	return named?.[1] ?? '';
}

/** The facts for a status: its own, those of its class, or the default ones. */
export function factsOf(operation: Operation, status: number): ErrorFacts | undefined {
	return (
		operation.errors[String(status)] ??
		operation.errors[classOf(status)] ??
		operation.errors.default
	);
}

function classOf(status: number): string {
	return `${Math.floor(status / 100)}XX`;
}

/** An item for the error output: n8n routes it there only where nothing but these three members is in it. */
export function failedItem(cause: unknown, itemIndex: number): INodeExecutionData {
	const error = cause instanceof Error ? cause.message : String(cause);
	const json: IDataObject = { error };
	const description = textAt(cause, '/description');
	if (description !== '') json.message = description;
	const details = cause instanceof NodeApiError ? cause.context.details : undefined;
	if (isObject(details)) json.details = details as IDataObject;
	return { json, pairedItem: { item: itemIndex } };
}

function sentenceIn(body: unknown): string {
	if (typeof body === 'string') return body.trim().startsWith('<') ? '' : body.trim().slice(0, DETAIL_LENGTH_MAX);
	for (const pointer of ['/error/message', '/message', '/error', '/detail', '/title', '/error_description']) {
		const text = textAt(body, pointer);
		if (text !== '') return text;
	}
	return '';
}

/** The rest of an answer in short, such as "Credits: 2. Cost: 5." */
function furtherDetails(body: unknown, told: string[]): string {
	if (!isObject(body)) return '';
	const facts = Object.entries(body).flatMap(([name, value]): string[] => {
		const words = name.replace(/_/g, ' ');
		const label = words.charAt(0).toUpperCase() + words.slice(1);
		if (Array.isArray(value)) return value.slice(0, 5).map((one) => `${label}: ${inShort(one)}.`);
		if (value === null || typeof value === 'object' || told.includes(String(value))) return [];
		return [`${label}: ${inShort(value)}${/[.!?]$/.test(String(value)) ? '' : '.'}`];
	});
	return facts.join(' ').slice(0, DETAIL_LENGTH_MAX);
}

function inShort(value: unknown): string {
	if (!isObject(value)) return String(value);
	return Object.values(value)
		.filter((one) => typeof one !== 'object')
		.join(': ');
}
