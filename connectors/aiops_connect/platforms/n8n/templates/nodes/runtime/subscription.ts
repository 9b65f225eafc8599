/** The webhook of a trigger: registered with the API, removed again, and what arrives at it. */
import type { IDataObject, IHookFunctions, IWebhookFunctions, IWebhookResponseData } from 'n8n-workflow';

import { failure } from './errors';
import { items } from './pages';
import { at, isObject, textAt } from './pointer';
import { isGenuine } from './signature';
import { bound, call } from './transport';
import type { Api, Call, Subscription } from './types';

/** How many deliveries a process of n8n remembers, to know one that is repeated. */
const SEEN_MAX = 10_000;
/** In memory: what a webhook keeps beside its workflow is lost when the delivery starts a run (n8n 2.41). */
const SEEN = new Set<string>();
const GONE = [404, 410];
/** When n8n starts a workflow by itself. Whoever activates one wants a webhook that works: the one that is listed may be disabled. */
const BY_ITSELF = ['init', 'leadershipChange'];

/** Whether the webhook is known to be registered for what is wanted now. */
export async function isRegistered(context: IHookFunctions, api: Api, all: Subscription[]): Promise<boolean> {
	const one = wantedOf(context, all);
	if (!BY_ITSELF.includes(context.getActivationMode())) return false;
	const held = context.getWorkflowStaticData('node');
	if (held.subscription === undefined || held.wanted !== wanted(context)) return false;
	if (one.list === undefined) return true;
	const listed = await whole(context, api, one.list);
	return JSON.stringify(listed).includes(JSON.stringify(context.getNodeWebhookUrl('default')).slice(1, -1));
}

/** All that a call lists, on however many pages. */
async function whole(context: IHookFunctions, api: Api, list: Call): Promise<unknown> {
	const operation = api.operations[list.operation];
	const values = bound(list.bindings, undefined);
	if (operation.pages !== undefined) return await items(context, api, operation, values, 0, Infinity);
	return (await call(context, api, operation, values)).body;
}

/** Registers the webhook and keeps what is answered, with its secret, beside the workflow. */
export async function register(context: IHookFunctions, api: Api, all: Subscription[]): Promise<boolean> {
	const one = wantedOf(context, all);
	if (one.subscribe === undefined) return true;
	const held = context.getWorkflowStaticData('node');
	if (held.subscription !== undefined) await remove(context, api, all);
	const platform = { url: context.getNodeWebhookUrl('default'), events: chosen(context) };
	const values = bound(one.subscribe.bindings, undefined, platform);
	const answer = await call(context, api, api.operations[one.subscribe.operation], values);
	held.subscription = answer.body as IDataObject;
	held.wanted = wanted(context);
	return true;
}

/** Removes the webhook; one that is gone already is as good. */
export async function remove(context: IHookFunctions, api: Api, all: Subscription[]): Promise<boolean> {
	const one = wantedOf(context, all);
	const held = context.getWorkflowStaticData('node');
	if (one.unsubscribe !== undefined && held.subscription !== undefined) {
		const values = bound(one.unsubscribe.bindings, held.subscription);
		try {
			await call(context, api, api.operations[one.unsubscribe.operation], values);
		} catch (cause) {
			const status = Number(at(cause, '/context/details/httpCode') ?? 0);
			if (!GONE.includes(status)) {
				const description = `Deactivate the workflow again, or remove the webhook by hand. ${(cause as Error).message}`;
				const reason = textAt(cause, '/context/details/reason');
				throw failure(context.getNode(), 0, 'The webhook could not be removed', description, { reason });
			}
		}
	}
	delete held.subscription;
	delete held.wanted;
	return true;
}

/** What a delivery starts: one run, or none where it is not genuine, not wanted or known already. */
export function deliver(context: IWebhookFunctions, all: Subscription[]): IWebhookResponseData {
	const one = wantedOf(context, all);
	const held = context.getWorkflowStaticData('node');
	const { rawBody } = context.getRequestObject() as { rawBody?: Buffer };
	const headers = context.getHeaderData();
	const body = context.getBodyData();
	if (one.signature?.secret !== undefined) {
		const secret = textAt(held.subscription, one.signature.secret);
		const sent = rawBody ?? Buffer.from(JSON.stringify(body));
		if (secret === '' || !isGenuine(secret, headers, sent)) return answered(context, 401, 'The signature is missing, old or not right');
	}
	const id = one.delivery === undefined ? undefined : headers[one.delivery.toLowerCase()];
	if (typeof id === 'string' && isRepeated(`${context.getNodeWebhookUrl('default')} ${id}`)) {
		return answered(context, 200, 'Seen already');
	}
	const event = textAt(body, one.event);
	if (one.event !== undefined && event !== '' && !chosen(context).includes(event)) return answered(context, 200, 'Not wanted');
	return { workflowData: [[{ json: isObject(body) ? body : { value: body } }]] };
}

/** The subscription that gives the events which were chosen. */
function wantedOf(context: IHookFunctions | IWebhookFunctions, all: Subscription[]): Subscription {
	const [first] = chosen(context);
	return all.find((one) => one.events.includes(first)) ?? all[0];
}

function isRepeated(delivery: string): boolean {
	if (SEEN.has(delivery)) return true;
	if (SEEN.size >= SEEN_MAX) SEEN.clear();
	SEEN.add(delivery);
	return false;
}

/** An answer to a delivery that starts nothing. */
function answered(context: IWebhookFunctions, status: number, text: string): IWebhookResponseData {
	context.getResponseObject().status(status).send(text);
	return { noWebhookResponse: true };
}

function chosen(context: IHookFunctions | IWebhookFunctions): string[] {
	const events = context.getNodeParameter('events', []) as string[] | string;
	return Array.isArray(events) ? events : [events];
}

/** What a registration depends on. */
function wanted(context: IHookFunctions): string {
	return JSON.stringify([context.getNodeWebhookUrl('default'), [...chosen(context)].sort()]);
}
