/** Files: those of an item on their way to the API, and those that an answer links to or holds. */
import { createHash } from 'node:crypto';
import { NodeOperationError } from 'n8n-workflow';
import type { IBinaryData, IDataObject, IExecuteFunctions, IN8nHttpFullResponse } from 'n8n-workflow';

import { failure, isLater, unreachable, whyOf } from './errors';
import { textAt } from './pointer';
import { close } from './streams';
import { call, isStopped, pause } from './transport';
import type { Answer, Api, FileField, FileValue, Upload, Work } from './types';

const DOWNLOAD_TIMEOUT_MILLISECONDS = 600_000;
/** The pauses before a file that could not be fetched is asked for again. */
const DOWNLOAD_PAUSES_SECONDS = [1, 4];
const EXTENSIONS: { [mimeType: string]: string } = {
	'application/json': 'json',
	'application/pdf': 'pdf',
	'application/zip': 'zip',
	'audio/aac': 'aac',
	'audio/flac': 'flac',
	'audio/mp4': 'm4a',
	'audio/mpeg': 'mp3',
	'audio/ogg': 'ogg',
	'audio/opus': 'opus',
	'audio/wav': 'wav',
	'audio/webm': 'webm',
	'audio/x-wav': 'wav',
	'image/gif': 'gif',
	'image/jpeg': 'jpg',
	'image/png': 'png',
	'image/svg+xml': 'svg',
	'image/webp': 'webp',
	'text/csv': 'csv',
	'text/html': 'html',
	'text/plain': 'txt',
	'video/mp4': 'mp4',
	'video/webm': 'webm',
};

/** A file of an item, with an extension in its name that fits its type. It is not read yet. */
export async function fileOf(context: IExecuteFunctions, itemIndex: number, field: string): Promise<FileValue> {
	const { helpers } = context;
	const { id, mimeType, fileName } = helpers.assertBinaryData(itemIndex, field);
	const whole = async () => await helpers.getBinaryDataBuffer(itemIndex, field);
	const named = { mimeType, fileName: namedAfter(fileName ?? field, mimeType), whole };
	if (id === undefined) {
		const data = await whole();
		return { ...named, sizeBytes: data.length, identity: data };
	}
	const { fileSize } = await helpers.getBinaryMetadata(id);
	return { ...named, sizeBytes: fileSize, identity: id, stream: async () => await helpers.getBinaryStream(id) };
}

/** The link to a file. It is uploaded once for an item of a run: where n8n tries the node again, the work that takes the
 * link has the same input then, and the same key. */
export async function linkTo(
	context: IExecuteFunctions,
	api: Api,
	upload: Upload,
	file: FileValue,
	itemIndex: number,
): Promise<string> {
	const held = context.getContext('node');
	const run = String(context.evaluateExpression('{{ $runIndex }}', itemIndex));
	const place = `upload ${createHash('sha256').update(`${upload.operation} ${run} ${itemIndex} `).update(file.identity).digest('hex')}`;
	held[place] ??= await uploaded(context, api, upload, file, itemIndex);
	return String(held[place]);
}

async function uploaded(
	context: IExecuteFunctions,
	api: Api,
	upload: Upload,
	file: FileValue,
	itemIndex: number,
): Promise<string> {
	const operation = api.operations[upload.operation];
	const answer = await call(context, api, operation, new Map([[upload.field, file]]), { itemIndex });
	const url = textAt(answer.body, upload.url);
	if (url !== '') return url;
	throw new NodeOperationError(context.getNode(), `The upload was answered without a link [item ${itemIndex}]`, {
		itemIndex,
		description: 'Enter a URL of the file instead.',
	});
}

/** The answer of an operation that answers a file. */
export async function answeredFile({ context, operation, itemIndex }: Work, answer: Answer): Promise<IBinaryData> {
	const mimeType = typeOf(answer.headers['content-type']);
	const fileName = disposition(answer.headers['content-disposition']) ?? namedAfter(operation.id.replace(/\W+/g, '-'), mimeType);
	try {
		return await context.helpers.prepareBinaryData(answer.body as Buffer, fileName, mimeType);
	} catch (cause) {
		throw unreachable(context.getNode(), itemIndex, operation, cause, false);
	}
}

/** An answer with files, and the job that it came of, if any. */
export interface Result {
	answer: IDataObject;
	jobId: string;
	/** The operation that gets the result of the job again. */
	resume?: string;
}

/** The file of a field: fetched, where the field is a link, without the credential and as a stream. */
export async function fetched({ context, itemIndex }: Work, field: FileField, result: Result): Promise<IBinaryData> {
	const value = result.answer[field.name] as string;
	if (field.form === 'base64') {
		const mimeType = field.mediaType ?? 'application/octet-stream';
		return await context.helpers.prepareBinaryData(Buffer.from(value, 'base64'), namedAfter(field.name, mimeType), mimeType);
	}
	for (let tries = 0; ; tries += 1) {
		const found = await download(context, value);
		if ('file' in found) return found.file;
		const pauseSeconds = DOWNLOAD_PAUSES_SECONDS[tries];
		if (!found.isPassing || pauseSeconds === undefined || isStopped(context)) throw unfetched(context, itemIndex, value, found.why, result);
		await pause(context, pauseSeconds);
	}
}

/** What a link leads to, read to its end, or why that failed. */
async function download(context: IExecuteFunctions, url: string): Promise<{ file: IBinaryData } | { why: string; isPassing: boolean }> {
	try {
		const { statusCode, headers, body } = (await context.helpers.httpRequest({
			url,
			encoding: 'stream',
			returnFullResponse: true,
			ignoreHttpStatusErrors: true,
			timeout: DOWNLOAD_TIMEOUT_MILLISECONDS,
			abortSignal: context.getExecutionCancelSignal(),
		})) as IN8nHttpFullResponse;
		if (statusCode >= 400) {
			close(body);
			return { why: `status ${statusCode}`, isPassing: isLater(statusCode) };
		}
		const mimeType = typeOf(headers['content-type'] as string | undefined);
		const fileName = disposition(headers['content-disposition'] as string | undefined) ?? namedAfter(lastStep(url), mimeType);
		return { file: await context.helpers.prepareBinaryData(body as Buffer, fileName, mimeType) };
	} catch (cause) {
		return { why: whyOf(cause), isPassing: true };
	}
}

/** The result is not lost with its file: the answer has the link, and the job is there. */
function unfetched(context: IExecuteFunctions, itemIndex: number, url: string, why: string, { answer, jobId, resume }: Result): Error {
	const again = jobId === '' ? '' : `The job is ${jobId}.${resume === undefined ? '' : ` ${resume} with this ID gets the file again, at no further charge.`} `;
	const description = `The work is done, and the details have the link. ${again}Or choose URL as the output.`;
	const details: IDataObject = { url: url.split('?')[0], reason: why, answer, ...(jobId === '' ? {} : { jobId }) };
	return failure(context.getNode(), itemIndex, `The file of the result could not be fetched (${why})`, description, details);
}

function typeOf(contentType: string | undefined): string {
	return contentType?.split(';')[0].trim().toLowerCase() || 'application/octet-stream';
}

function lastStep(url: string): string {
	const path = url.split(/[?#]/)[0];
	return decoded(path.slice(path.lastIndexOf('/') + 1)) || 'file';
}

function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

/** The file name that a Content-Disposition gives (RFC 6266), without a path. */
function disposition(header: string | undefined): string | undefined {
	const extended = /filename\*\s*=\s*utf-8''([^;\s]+)/i.exec(header ?? '');
	const plain = /filename\s*=\s*("([^"]*)"|[^;\s]+)/i.exec(header ?? '');
	const name = extended !== null ? decoded(extended[1]) : (plain?.[2] ?? plain?.[1]);
	return name?.split(/[\\/]/).pop() || undefined;
}

/** A name with an extension; that of the type, where the name has none. */
function namedAfter(name: string, mimeType: string): string {
	const extension = EXTENSIONS[mimeType];
	return /\.[A-Za-z0-9]{1,5}$/.test(name) || extension === undefined ? name : `${name}.${extension}`;
}
