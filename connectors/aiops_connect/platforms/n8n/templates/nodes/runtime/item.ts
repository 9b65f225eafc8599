/** One operation for one item. */
import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { answeredFile, fetched } from './files';
import { idempotencyKey } from './idempotency';
import { values } from './inputs';
import { ended, idOf, isJob, outputs, start } from './jobs';
import { items } from './pages';
import { isObject } from './pointer';
import { call } from './transport';
import type { Answer, Api, Job, JsonObject, Operation, Values } from './types';

const WAIT_SECONDS = 600;
const FIELD = 'data';

/** What an operation answers, as items that know which one they came of. */
export async function run(context: IExecuteFunctions, api: Api, itemIndex: number): Promise<INodeExecutionData[]> {
	const name = `${context.getNodeParameter('resource', itemIndex)}.${context.getNodeParameter('operation', itemIndex)}`;
	const operation = api.operations[name];
	const found = await values(context, api, operation, itemIndex);
	if (operation.idempotency !== undefined && !found.has(operation.idempotency)) {
		found.set(operation.idempotency, idempotencyKey(context, operation, found, itemIndex));
	}
	const results = await answers(context, api, operation, found, itemIndex);
	return results.map((one) => ({ ...one, pairedItem: { item: itemIndex } }));
}

async function answers(
	context: IExecuteFunctions,
	api: Api,
	operation: Operation,
	found: Values,
	itemIndex: number,
): Promise<INodeExecutionData[]> {
	if (operation.pages !== undefined) {
		const all = context.getNodeParameter('returnAll', itemIndex, false) as boolean;
		const limit = all ? Infinity : (context.getNodeParameter('limit', itemIndex, 50) as number);
		return (await items(context, api, operation, found, itemIndex, limit)).map((one) => ({ json: json(one) }));
	}
	if (operation.job !== undefined) return [await worked(context, api, operation, operation.job, found, itemIndex)];
	const answer = await call(context, api, operation, found, { itemIndex });
	return await presented(context, operation, answer, itemIndex);
}

/** The result of work that may take its time, or the job where nobody waits for it. */
async function worked(
	context: IExecuteFunctions,
	api: Api,
	operation: Operation,
	job: Job,
	found: Values,
	itemIndex: number,
): Promise<INodeExecutionData> {
	const options = context.getNodeParameter('options', itemIndex, {}) as IDataObject;
	const secondsMax = Number(options.maximumWait ?? WAIT_SECONDS);
	const waiting = { context, api, operation, job, itemIndex, secondsMax };
	const accepted = operation.isWaiting ? await call(context, api, operation, found, { itemIndex }) : await start(waiting, found);
	const isWanted = operation.isWaiting || context.getNodeParameter('waitForCompletion', itemIndex, true) === true;
	if (!operation.isWaiting && !isJob(job, accepted)) return await withFiles(context, operation, json(accepted.body), itemIndex);
	if (!isWanted) return { json: { ...json(accepted.body), job_id: idOf(job, accepted.body) } };
	const done = await ended(waiting, accepted.body);
	const made = operation.isWaiting ? { ...done, ...outputs(job, done) } : await whole(waiting, found, outputs(job, done));
	return await withFiles(context, operation, json(made), itemIndex);
}

/** All that the operation answers: the same call under its key is answered with the result, and not charged again. */
async function whole(
	waiting: Parameters<typeof start>[0],
	found: Values,
	known: JsonObject,
): Promise<JsonObject> {
	const { context, api, operation, job, itemIndex } = waiting;
	if (!job.isRepeated) return known;
	try {
		const answer = await call(context, api, operation, found, { itemIndex });
		return isObject(answer.body) ? (answer.body as JsonObject) : known;
	} catch (cause) {
		context.logger.debug(`The result is given as the job has it: ${(cause as Error).message}`);
		return known;
	}
}

async function presented(
	context: IExecuteFunctions,
	operation: Operation,
	answer: Answer,
	itemIndex: number,
): Promise<INodeExecutionData[]> {
	if (operation.answer === 'bytes') {
		const field = context.getNodeParameter('binaryPropertyName', itemIndex, FIELD) as string;
		const file = await answeredFile(context, answer, operation.id.replace(/\W+/g, '-'));
		return [{ json: {}, binary: { [field]: file } }];
	}
	if (answer.body === '' || answer.body === undefined || answer.body === null) {
		return [{ json: operation.isDelete ? { deleted: true } : { success: true } }];
	}
	const ones: unknown[] = Array.isArray(answer.body) ? answer.body : [answer.body];
	return await Promise.all(ones.map(async (one) => await withFiles(context, operation, json(one), itemIndex)));
}

/** The answer, with its files beside it where that is wanted. */
async function withFiles(
	context: IExecuteFunctions,
	operation: Operation,
	answered: IDataObject,
	itemIndex: number,
): Promise<INodeExecutionData> {
	const present = operation.files.filter((field) => typeof answered[field.name] === 'string');
	const output = present.length === 0 || context.isToolExecution() ? 'url' : context.getNodeParameter('output', itemIndex, 'both');
	if (output === 'url') return { json: answered };
	const name = context.getNodeParameter('binaryPropertyName', itemIndex, FIELD) as string;
	const result: INodeExecutionData = { json: { ...answered }, binary: {} };
	for (const [index, field] of present.entries()) {
		const key = index === 0 ? name : `${name}_${field.name}`;
		result.binary = { ...result.binary, [key]: await fetched(context, field, answered[field.name] as string, itemIndex) };
		if (output === 'file' || field.form === 'base64') delete result.json[field.name];
	}
	return result;
}

/** An answer as the JSON of an item. A member `error` would make n8n take the item for a failed one. */
function json(value: unknown): IDataObject {
	if (!isObject(value)) return { value: value as IDataObject[string] };
	const { error, ...rest } = value as IDataObject;
	return error === undefined || error === null ? (value as IDataObject) : { ...rest, failure: error };
}
