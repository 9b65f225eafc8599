/** Values outside JSON: styles of OpenAPI 3.1 (section 4.8.12.3), forms, and parts of a multipart body (RFC 7578). */
import { randomUUID } from 'node:crypto';

import { isObject } from './pointer';
import type { FileValue, Input, Json, Value } from './types';

export type Pair = [name: string, value: string];
/** A piece of a body. */
export type Chunk = Buffer | FileValue;

const SEPARATORS: { [style: string]: string } = { spaceDelimited: '%20', pipeDelimited: '|', form: ',' };
const RESERVED = /%(3A|2F|3F|23|5B|5D|40|21|24|26|27|28|29|2A|2B|2C|3B|3D)/gi;

export function isFile(value: unknown): value is FileValue {
	return isObject(value) && typeof value.whole === 'function';
}

/** A value as text; objects and lists as JSON. */
export function plain(value: Value): string {
	return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? '');
}

function escaper(input: Input): (text: string) => string {
	return (text) => {
		const escaped = encodeURIComponent(text);
		return input.allowReserved ? escaped.replace(RESERVED, decodeURIComponent) : escaped;
	};
}

function members(value: Value): Array<[string, Json]> {
	return isObject(value) ? (Object.entries(value) as Array<[string, Json]>) : [];
}

/** A value in a path. */
export function inPath(input: Input, value: Value): string {
	const escape = escaper(input);
	const style = input.style ?? 'simple';
	if (input.contentType !== undefined) return escape(JSON.stringify(value));
	if (style === 'matrix') return matrix(input, value, escape);
	const prefix = style === 'label' ? '.' : '';
	const separator = style === 'label' && input.explode ? '.' : ',';
	return prefix + listed(value, input.explode === true, separator, escape);
}

function matrix(input: Input, value: Value, escape: (text: string) => string): string {
	const name = escape(input.name);
	if (Array.isArray(value) && input.explode) return value.map((one) => `;${name}=${escape(plain(one))}`).join('');
	if (isObject(value) && input.explode) {
		return members(value).map(([key, one]) => `;${escape(key)}=${escape(plain(one))}`).join('');
	}
	return `;${name}=${listed(value, false, ',', escape)}`;
}

function listed(value: Value, explode: boolean, separator: string, escape: (text: string) => string): string {
	if (Array.isArray(value)) return value.map((one) => escape(plain(one))).join(separator);
	if (isObject(value)) {
		return members(value)
			.map(([key, one]) => escape(key) + (explode ? '=' : separator) + escape(plain(one)))
			.join(separator);
	}
	return escape(plain(value));
}

/** A value in a query or a form, as pairs that are already escaped. */
export function inQuery(input: Input, value: Value): Pair[] {
	const escape = escaper(input);
	const name = escape(input.name);
	const style = input.style ?? 'form';
	if (input.contentType !== undefined) return [[name, escape(JSON.stringify(value))]];
	if (style === 'deepObject') {
		return members(value).map(([key, one]): Pair => [`${name}[${escape(key)}]`, escape(plain(one))]);
	}
	const explode = input.explode ?? style === 'form';
	if (Array.isArray(value) && explode) return value.map((one): Pair => [name, escape(plain(one))]);
	if (isObject(value) && explode) return members(value).map(([key, one]): Pair => [escape(key), escape(plain(one))]);
	return [[name, listed(value, false, SEPARATORS[style] ?? ',', escape)]];
}

/** A value in a header: it is not escaped, only kept on its line. */
export function inHeader(input: Input, value: Value): string {
	if (input.contentType !== undefined) return JSON.stringify(value);
	return listed(value, input.explode === true, ',', (text) => text.replace(/[\r\n]+/g, ' '));
}

export function joined(pairs: Pair[]): string {
	return pairs.map(([name, value]) => `${name}=${value}`).join('&');
}

/** What a multipart body is made of, and its Content-Type with the boundary. */
export function multipart(parts: Array<[Input, Value]>): { chunks: Chunk[]; contentType: string } {
	const boundary = randomUUID();
	const chunks: Chunk[] = [];
	for (const [input, value] of parts) {
		for (const one of Array.isArray(value) ? (value as Value[]) : [value]) {
			chunks.push(Buffer.from(`--${boundary}\r\n${partHead(input, one)}\r\n\r\n`));
			chunks.push(isFile(one) ? one : Buffer.from(plain(one)), Buffer.from('\r\n'));
		}
	}
	chunks.push(Buffer.from(`--${boundary}--\r\n`));
	return { chunks, contentType: `multipart/form-data; boundary=${boundary}` };
}

function partHead(input: Input, value: Value): string {
	const head = `Content-Disposition: form-data; name="${quotable(input.name)}"`;
	if (isFile(value)) return `${head}; filename="${quotable(value.fileName)}"\r\nContent-Type: ${value.mimeType}`;
	const type = input.contentType ?? (isObject(value) ? 'application/json' : '');
	return type === '' ? head : `${head}\r\nContent-Type: ${type}`;
}

/** As HTML escapes names in forms (multipart/form-data encoding algorithm). */
function quotable(text: string): string {
	return text.replace(/\r\n|\r|\n/g, '%0D%0A').replace(/"/g, '%22');
}
