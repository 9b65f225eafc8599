/** Work that outlasts a call: it is accepted, waited for by long polling, taken up again, and cancelled. */
import type { IDataObject } from 'n8n-workflow';

import { spent } from './credits';
import { failure, isPassing, retryAfter, statusOf } from './errors';
import { at, isObject, textAt } from './pointer';
import { bound, call, isStopped, pause } from './transport';
import type { Answer, Job, Json, JsonObject, Values, Work } from './types';

/** How long one call of the wait lasts where the service can wait, and between calls where it cannot. */
const LONG_POLL_SECONDS = 25;
const PAUSE_SECONDS_FIRST = 1;
const PAUSE_SECONDS_MAX = 15;
const PAUSE_GROWTH = 1.5;
const MARGIN_MILLISECONDS = 30_000;
/** An answer that took this long was waited for by the service; one that comes sooner was not. */
const WAITED_MILLISECONDS = 1000;
/** The job goes on, but the credential does not reach it. */
const NOT_ALLOWED = [401, 403];

export interface Waiting extends Work {
	job: Job;
	secondsMax: number;
}

/**
 * Starts the work. Where it is done at once the answer is the result, else the job. Whoever stops the execution meanwhile
 * cancels the job: the call is not cut off, or nobody would know which one that is.
 */
export async function start(waiting: Waiting, values: Values): Promise<Answer> {
	const { context, api, operation, job, itemIndex } = waiting;
	if (isStopped(context)) throw stopped(waiting);
	const begun: Values = new Map([...values, ...bound(job.start, undefined)]);
	const isDetached = job.cancel !== undefined;
	const answer = await call(context, api, operation, begun, { itemIndex, patienceSeconds: waiting.secondsMax, isDetached });
	if (!isStopped(context)) return answer;
	if (isJob(job, answer)) await cancel(waiting, answer.body);
	throw stopped(waiting);
}

function stopped({ context, itemIndex }: Waiting): Error {
	return failure(context.getNode(), itemIndex, 'The execution was stopped', 'Nothing more is done.');
}

export function isJob(job: Job, answer: Answer): boolean {
	return answer.status === job.acceptedStatus && at(answer.body, job.state) !== undefined;
}

/** The job as it is when it has succeeded. Whoever stops the execution meanwhile cancels it. */
export async function ended(waiting: Waiting, accepted: unknown): Promise<JsonObject> {
	const { context, job } = waiting;
	let isOpen = true;
	context.onExecutionCancellation(() => {
		if (isOpen) void cancel(waiting, accepted);
	});
	try {
		return await polled(waiting, accepted, job);
	} finally {
		isOpen = isStopped(context) && isOpen;
	}
}

async function polled(waiting: Waiting, accepted: unknown, job: Job): Promise<JsonObject> {
	const deadline = Date.now() + waiting.secondsMax * 1000;
	let found: unknown = accepted;
	let seconds = PAUSE_SECONDS_FIRST;
	let isDue = true;
	for (;;) {
		const state = textAt(found, job.state);
		if (job.succeeded.includes(state)) return found as JsonObject;
		if (job.failed.includes(state) || job.cancelled.includes(state)) throw await unsuccessful(waiting, found, accepted);
		const left = (deadline - Date.now()) / 1000;
		if (left <= 0) throw outOfTime(waiting, accepted);
		if (!isDue) {
			await pause(waiting.context, Math.min(seconds, left));
			seconds = Math.min(seconds * PAUSE_GROWTH, PAUSE_SECONDS_MAX);
		}
		const asked = Date.now();
		const answer = await looked(waiting, accepted, deadline);
		isDue = job.wait !== undefined && Date.now() - asked >= WAITED_MILLISECONDS;
		seconds = Math.max(seconds, retryAfter(answer) ?? 0);
		found = answer.body;
	}
}

/** The job as the service has it now. A call that fails is made again until the time is over: the work goes on meanwhile. */
async function looked(waiting: Waiting, accepted: unknown, deadline: number): Promise<Answer> {
	const { context, api, job, itemIndex } = waiting;
	const operation = api.operations[job.status.operation];
	const values = bound(job.status.bindings, accepted);
	const left = () => (deadline - Date.now()) / 1000;
	for (let troubles = 1; ; troubles += 1) {
		const seconds = Math.max(1, Math.min(left(), LONG_POLL_SECONDS));
		if (job.wait !== undefined) {
			const whole = Math.min(Math.ceil(seconds), job.wait.secondsMax);
			values.set(job.wait.field, job.wait.text.replace('{seconds}', String(whole)));
		}
		let wanted: number;
		try {
			const timeoutMilliseconds = seconds * 1000 + MARGIN_MILLISECONDS;
			return await call(context, api, operation, values, { itemIndex, timeoutMilliseconds, patienceSeconds: seconds });
		} catch (cause) {
			if (!isPassing(cause) || isStopped(context) || left() <= 0) throw named(waiting, accepted, cause as Described);
			wanted = Number(at(cause, '/context/details/retryAfterSeconds') ?? 0);
		}
		await pause(context, Math.min(Math.max(wanted, Math.min(troubles, PAUSE_SECONDS_MAX)), left()));
	}
}

type Described = Error & { description?: string | null };

/** The same, with the job named: its work goes on, and nothing is lost. */
function named({ job }: Waiting, accepted: unknown, cause: Described): Error {
	const jobId = idOf(job, accepted);
	const details = at(cause, '/context/details');
	if (isObject(details)) details.jobId = jobId;
	const advice = isPassing(cause) ? [] : [cause.description ?? ''];
	const more = isPassing(cause) || NOT_ALLOWED.includes(statusOf(cause)) ? goesOn(job, jobId) : `The job is ${jobId}.`;
	cause.description = [...advice, more].join(' ').trim();
	return cause;
}

/** How people come to the result of a job that nobody waits for any more. */
function goesOn({ resume }: Job, jobId: string): string {
	return `Job ${jobId} goes on.${resume === undefined ? '' : ` ${resume} with this ID takes it up again, at no further charge.`}`;
}

async function cancel(waiting: Waiting, accepted: unknown): Promise<void> {
	const { context, api, job, itemIndex } = waiting;
	if (job.cancel === undefined) return;
	try {
		const values = bound(job.cancel.bindings, accepted);
		await call(context, api, api.operations[job.cancel.operation], values, { itemIndex, isDetached: true });
	} catch (cause) {
		context.logger.warn(`Job ${idOf(job, accepted)} could not be cancelled: ${(cause as Error).message} ${textAt(cause, '/context/details/reason')}`);
	}
}

async function unsuccessful(waiting: Waiting, found: unknown, accepted: unknown): Promise<Error> {
	const { context, job, itemIndex, operation } = waiting;
	const jobId = idOf(job, accepted);
	const wasCancelled = job.cancelled.includes(textAt(found, job.state));
	const message = `${operation.label}: the job ${wasCancelled ? 'was cancelled' : 'ended without a result'}`;
	const reason = textAt(found, job.reason);
	const [credits] = operation.credits === undefined ? [] : await spent(waiting, operation.credits, [found]);
	const description = [
		reason === '' ? '' : reason.replace(/[.\s]*$/, '.'),
		...['refunded', 'left'].map((name) => (typeof credits?.[name] === 'number' ? `Credits ${name}: ${credits[name]}.` : '')),
		`The job is ${jobId}.`,
	].filter((text) => text !== '');
	const details: IDataObject = { jobId, state: textAt(found, job.state) };
	if (reason !== '') details.reason = reason;
	if (credits !== undefined) details.credits = credits;
	return failure(context.getNode(), itemIndex, message, description.join(' '), details);
}

function outOfTime(waiting: Waiting, accepted: unknown): Error {
	const { context, job, itemIndex, secondsMax } = waiting;
	const jobId = idOf(job, accepted);
	return failure(
		context.getNode(),
		itemIndex,
		`Job ${jobId} is not done after ${secondsMax} seconds`,
		`${goesOn(job, jobId)} Or enter a longer Maximum Wait.`,
		{ jobId, code: 'wait_timed_out' },
	);
}

/** The id under which the job is looked up. */
function idOf(job: Job, accepted: unknown): string {
	const [binding] = job.status.bindings;
	return binding !== undefined && 'pointer' in binding.source ? textAt(accepted, binding.source.pointer) : '';
}

/** The id of the job that an answer came of: by the job once it is known, else by the answer; empty where neither has it. */
export function madeBy(job: Job, answer: IDataObject, done: unknown): string {
	if (at(done, job.state) !== undefined) return idOf(job, done);
	const [binding] = job.status.bindings;
	const output = job.outputs.find(({ pointer }) => binding !== undefined && 'pointer' in binding.source && pointer === binding.source.pointer);
	return output === undefined ? '' : String(answer[output.name] ?? '');
}

/** What the operation answers, as far as the job that does its work has it by now. */
export function outputs(job: Job, done: unknown): JsonObject {
	const found: JsonObject = {};
	for (const { name, pointer } of job.outputs) {
		const value = at(done, pointer);
		if (value !== undefined) found[name] = value as Json;
	}
	return found;
}
