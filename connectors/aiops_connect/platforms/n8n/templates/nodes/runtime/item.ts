/** One operation for one item. */
import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { spent } from './credits';
import { answeredFile, fetched } from './files';
import { idempotencyKey } from './idempotency';
import { values } from './inputs';
import { ended, isJob, madeBy, outputs, start } from './jobs';
import type { Waiting } from './jobs';
import { items } from './pages';
import { at, isObject } from './pointer';
import { call } from './transport';
import type { Answer, Api, Job, JsonObject, Kept, Values, Work } from './types';

const WAIT_SECONDS = 600;
const FIELD = 'data';

/** What an operation answers, as items that know which one they came of. */
export async function run(context: IExecuteFunctions, api: Api, itemIndex: number): Promise<INodeExecutionData[]> {
	const name = `${context.getNodeParameter('resource', itemIndex)}.${context.getNodeParameter('operation', itemIndex)}`;
	const operation = api.operations[name];
	const work = { context, api, operation, itemIndex };
	const found = await values(context, api, operation, itemIndex);
	if (operation.idempotency !== undefined) {
		found.set(operation.idempotency, idempotencyKey(context, operation, operation.idempotency, found, itemIndex));
	}
	const results = await answers(work, found);
	return results.map((one) => ({ ...one, pairedItem: { item: itemIndex } }));
}

async function answers(work: Work, found: Values): Promise<INodeExecutionData[]> {
	const { context, api, operation, itemIndex } = work;
	if (operation.pages !== undefined) {
		const all = context.getNodeParameter('returnAll', itemIndex, false) as boolean;
		const limit = all ? Infinity : (context.getNodeParameter('limit', itemIndex, 50) as number);
		return await shown(work, await items(context, api, operation, found, itemIndex, limit));
	}
	if (operation.job !== undefined) return await worked(work, operation.job, found);
	return await presented(work, await call(context, api, operation, found, { itemIndex }));
}

/** The result of work that may take its time, or the job where nobody waits for it. */
async function worked(work: Work, job: Job, found: Values): Promise<INodeExecutionData[]> {
	const { context, api, operation, itemIndex } = work;
	const options = context.getNodeParameter('options', itemIndex, {}) as IDataObject;
	const waiting = { ...work, job, secondsMax: Number(options.maximumWait ?? WAIT_SECONDS) };
	if (operation.isWaiting) {
		const done = await ended(waiting, (await call(context, api, operation, found, { itemIndex })).body);
		const made = outputs(job, done);
		return await shown(work, [isSimplified(work) ? made : { ...done, ...made }], { jobs: [done], isWhole: true });
	}
	const accepted = await start(waiting, found);
	if (!isJob(job, accepted)) return await shown(work, [accepted.body], { answer: accepted.body });
	if (context.getNodeParameter('waitForCompletion', itemIndex, true) !== true) {
		return await shown(work, [{ ...json(accepted.body), ...outputs(job, accepted.body) }], { isWhole: true });
	}
	const done = await ended(waiting, accepted.body);
	const made = await whole(waiting, found, outputs(job, done));
	return await shown(work, [made], { jobs: [done], answer: made });
}

/** All that the operation answers: the same call under its key is answered with the result, and not charged again. */
async function whole({ context, api, operation, job, itemIndex }: Waiting, found: Values, known: JsonObject): Promise<JsonObject> {
	if (!job.isRepeated) return known;
	try {
		const answer = await call(context, api, operation, found, { itemIndex });
		return isObject(answer.body) ? (answer.body as JsonObject) : known;
	} catch (cause) {
		context.logger.debug(`The result is given as the job has it: ${(cause as Error).message}`);
		return known;
	}
}

async function presented(work: Work, answer: Answer): Promise<INodeExecutionData[]> {
	const { context, operation, itemIndex } = work;
	if (operation.answer === 'bytes') {
		const field = context.getNodeParameter('binaryPropertyName', itemIndex, FIELD) as string;
		const file = await answeredFile(work, answer);
		return [{ json: {}, binary: { [field]: file } }];
	}
	if (answer.body === '' || answer.body === undefined || answer.body === null) {
		return [{ json: operation.isDelete ? { deleted: true } : { success: true } }];
	}
	const ones: unknown[] = Array.isArray(answer.body) ? answer.body : [answer.body];
	return await shown(work, ones, { answer: answer.body });
}

/** Where it stands what answers have cost, unless in themselves; `isWhole`: they are not to be simplified. */
interface Told {
	jobs?: unknown[];
	answer?: unknown;
	isWhole?: boolean;
}

/** Answers as items: simplified where that is wanted, with what their work has cost, and their files beside them. */
async function shown(work: Work, ones: unknown[], { jobs = ones, answer, isWhole }: Told = {}): Promise<INodeExecutionData[]> {
	const { credits, simplified: kept } = work.operation;
	const costs = credits === undefined ? [] : await spent(work, credits, jobs, answer);
	const shaped = ones.map((one, index): IDataObject => {
		const answered = json(kept !== undefined && !isWhole && isSimplified(work) ? simplified(one, kept) : one);
		return credits === undefined ? answered : { ...answered, [credits.name]: costs[index] };
	});
	return await Promise.all(shaped.map(async (one, index) => await withFiles(work, one, jobs[index])));
}

function isSimplified({ context, operation, itemIndex }: Work): boolean {
	return operation.simplified !== undefined && context.getNodeParameter('simplify', itemIndex, true) === true;
}

function simplified(one: unknown, kept: Kept[]): IDataObject {
	const found = kept.map(({ name, pointer }) => [name, at(one, pointer)]).filter(([, value]) => value !== undefined);
	return Object.fromEntries(found) as IDataObject;
}

/** The answer, with its files beside it where that is wanted; `done` is the job that it came of, or itself. */
async function withFiles(work: Work, answered: IDataObject, done: unknown): Promise<INodeExecutionData> {
	const { context, operation, itemIndex } = work;
	const present = operation.files.filter((field) => typeof answered[field.name] === 'string');
	const output = present.length === 0 || isTool(context) ? 'url' : context.getNodeParameter('output', itemIndex, 'both');
	if (output === 'url') return { json: answered };
	const name = context.getNodeParameter('binaryPropertyName', itemIndex, FIELD) as string;
	const { job } = operation;
	const made = { answer: answered, jobId: job === undefined ? '' : madeBy(job, answered, done), resume: job?.resume };
	const result: INodeExecutionData = { json: { ...answered }, binary: {} };
	for (const [index, field] of present.entries()) {
		const key = index === 0 ? name : `${name}_${field.name}`;
		result.binary = { ...result.binary, [key]: await fetched(work, field, made) };
		if (output === 'file' || field.form === 'base64') delete result.json[field.name];
	}
	return result;
}

/** Whether an agent asks. Before n8n 2.5 nobody says. */
function isTool(context: IExecuteFunctions): boolean {
	return 'isToolExecution' in context && context.isToolExecution();
}

/** An answer as the JSON of an item. A member `error` would make n8n take the item for a failed one. */
function json(value: unknown): IDataObject {
	if (!isObject(value)) return { value: value as IDataObject[string] };
	const { error, ...rest } = value as IDataObject;
	return error === undefined || error === null ? (value as IDataObject) : { ...rest, failure: error };
}
