/** Redirects (RFC 9110, section 15.4), followed by hand: n8n would take a key in a header of its own to any host. */
import type { IDataObject, IHttpRequestOptions, IN8nHttpFullResponse } from 'n8n-workflow';

import { close, isOpen } from './streams';
import type { Caller } from './types';

const REDIRECTS_MAX = 5;
const REDIRECTS = [301, 302, 303, 307, 308];
const OF_A_BODY = ['content-type', 'content-length'];

/**
 * The response to a call. It is followed within the origin of the API. A call that fetches a file from the start is also
 * followed to another one, without the credential, unless that is the API itself under another scheme or port. A redirect
 * that is not followed is the response.
 */
export async function followed(
	context: Caller,
	credential: string,
	first: IHttpRequestOptions,
	isFile: boolean,
): Promise<IN8nHttpFullResponse> {
	const { httpRequest, httpRequestWithAuthentication } = context.helpers;
	const mayLeave = isFile && first.method === 'GET';
	let http = first;
	let isOwn = true;
	for (let left = REDIRECTS_MAX; ; left -= 1) {
		const sent = { ...http, headers: { ...http.headers } };
		const response = (await (isOwn
			? httpRequestWithAuthentication.call(context, credential, sent)
			: httpRequest(sent))) as IN8nHttpFullResponse;
		const next = left > 0 ? redirected(http, response) : undefined;
		if (next === undefined) return response;
		if (isOwn && leaves(http.url, next.url)) {
			if (!mayLeave || isMoved(http.url, next.url)) return response;
			isOwn = false;
		}
		close(response.body);
		http = isOwn ? next : withoutSecrets(context, next);
	}
}

/** The call that a response asks for; undefined for none, and for a file again, which would be in memory meanwhile. */
function redirected(http: IHttpRequestOptions, { statusCode, headers }: IN8nHttpFullResponse): IHttpRequestOptions | undefined {
	if (!REDIRECTS.includes(statusCode) || headers.location === undefined || isOpen(http.body)) return undefined;
	const url = resolved(String(headers.location), http.url);
	if (url === undefined) return undefined;
	const isKept = statusCode > 303 || ['GET', 'HEAD'].includes(http.method ?? 'GET') || (statusCode < 303 && http.method !== 'POST');
	if (isKept) return { ...http, url };
	const left = Object.entries(http.headers ?? {}).filter(([name]) => !OF_A_BODY.includes(name.toLowerCase()));
	return { ...http, url, method: 'GET', body: undefined, headers: Object.fromEntries(left) as IDataObject };
}

function leaves(from: string, to: string): boolean {
	return new URL(from).origin !== new URL(to).origin;
}

/** Whether an address is the same but for its scheme or port, as that of an API that is asked for without TLS. */
function isMoved(from: string, to: string): boolean {
	const [before, after] = [new URL(from), new URL(to)];
	return (['hostname', 'pathname', 'search'] as const).every((part) => before[part] === after[part]);
}

function resolved(location: string, base: string): string | undefined {
	try {
		const { protocol, href } = new URL(location, base);
		return ['http:', 'https:'].includes(protocol) ? href : undefined;
	} catch {
		return undefined;
	}
}

/** A call for the same to somebody else, which n8n's own helper makes only as it is told. */
function withoutSecrets(context: Caller, { url, headers, ...http }: IHttpRequestOptions): IHttpRequestOptions {
	return {
		method: 'GET',
		url,
		headers: { Accept: headers?.Accept },
		timeout: http.timeout,
		encoding: http.encoding,
		returnFullResponse: true,
		disableFollowRedirect: true,
		ignoreHttpStatusErrors: true,
		abortSignal: 'getExecutionCancelSignal' in context ? context.getExecutionCancelSignal() : undefined,
	};
}
