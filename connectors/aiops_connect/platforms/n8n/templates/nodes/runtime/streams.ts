/** Bodies with files in them: read from n8n's store while they are sent, so that no file is in memory as a whole. */
import type { IDataObject, IHttpRequestOptions } from 'n8n-workflow';

import type { Chunk } from './encoding';
import type { FileValue, Stream } from './types';

type Streamed = FileValue & Required<Pick<FileValue, 'stream'>>;

/** Makes the chunks the body of a request, with its length: a server may refuse one of unknown length. */
export async function stream(options: IHttpRequestOptions, chunks: Chunk[]): Promise<void> {
	const first = chunks.find(isStreamed);
	if (first === undefined) {
		options.body = Buffer.concat(await Promise.all(chunks.map(whole)));
		return;
	}
	const sizeBytes = chunks.reduce((sum, chunk) => sum + (Buffer.isBuffer(chunk) ? chunk.length : chunk.sizeBytes), 0);
	(options.headers as IDataObject)['Content-Length'] = String(sizeBytes);
	const source = await first.stream();
	options.body = chunks.length === 1 ? source : source.compose((given: AsyncIterable<Buffer>) => joined(chunks, first, given));
}

/** Whether a body is read from the store. */
export function isOpen(body: unknown): body is Stream {
	return typeof (body as Partial<Stream> | undefined)?.destroy === 'function';
}

/** Closes what was opened for a body, also where the call ended before all of it was read. */
export function close(body: unknown): void {
	if (isOpen(body)) body.destroy();
}

/** All chunks one after another. n8n's linter allows no import of streams: the file's own knows how one is made. */
async function* joined(chunks: Chunk[], first: Streamed, source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
	for (const chunk of chunks) {
		if (chunk === first) yield* source;
		else if (isStreamed(chunk)) yield* (await chunk.stream()) as AsyncIterable<Buffer>;
		else yield await whole(chunk);
	}
}

function isStreamed(chunk: Chunk): chunk is Streamed {
	return !Buffer.isBuffer(chunk) && chunk.stream !== undefined;
}

async function whole(chunk: Chunk): Promise<Buffer> {
	return Buffer.isBuffer(chunk) ? chunk : await chunk.whole();
}
