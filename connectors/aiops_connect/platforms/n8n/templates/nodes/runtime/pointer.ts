/** JSON pointers (RFC 6901). */

/** What a pointer leads to; undefined where there is nothing. */
export function at(value: unknown, pointer: string): unknown {
	let found = value;
	for (const step of pointer.split('/').slice(1)) {
		const name = step.replace(/~1/g, '/').replace(/~0/g, '~');
		if (typeof found !== 'object' || found === null || !Object.prototype.hasOwnProperty.call(found, name)) {
			return undefined;
		}
		found = (found as { [name: string]: unknown })[name];
	}
	return found;
}

/** A text or number at a pointer, as a text; empty where there is none. */
export function textAt(value: unknown, pointer: string | undefined): string {
	const found = pointer === undefined ? undefined : at(value, pointer);
	return typeof found === 'string' || typeof found === 'number' ? String(found) : '';
}

export function isObject(value: unknown): value is { [name: string]: unknown } {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
