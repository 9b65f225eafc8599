/** One key for one piece of work: the same when n8n tries a node again, another for each item, run and execution. */
import { createHash } from 'node:crypto';
import { NodeOperationError } from 'n8n-workflow';
import type { IExecuteFunctions } from 'n8n-workflow';

import { isFile } from './encoding';
import type { Operation, Values } from './types';

const LENGTH_MAX = 255;
/** What a header takes along as it is: of the rest n8n leaves away what is not Latin, so that two keys become one. */
const PRINTABLE = /^[\x20-\x7e]*$/;

/** The key for an item: what is entered under this id, else one that is made of where and what is asked for. */
export function idempotencyKey(context: IExecuteFunctions, operation: Operation, id: string, values: Values, itemIndex: number): string {
	const entered = String(values.get(id) ?? '').trim();
	if (entered === '') return madeKey(context, operation, id, values, itemIndex);
	const lengthMax = operation.keyLengthMax ?? LENGTH_MAX;
	if (PRINTABLE.test(entered) && entered.length <= lengthMax) return entered;
	const label = operation.inputs.find((input) => input.id === id)?.label ?? id;
	const rule = `Enter at most ${lengthMax} letters without accents, digits, spaces and signs, or nothing for a key of the node's own.`;
	const description = `${rule} What is there now: ${entered.slice(0, 100)}`;
	throw new NodeOperationError(context.getNode(), `${label} cannot be sent as it is [item ${itemIndex}]`, { itemIndex, description });
}

function madeKey(context: IExecuteFunctions, operation: Operation, id: string, values: Values, itemIndex: number): string {
	const where = [
		context.getWorkflow().id ?? '',
		context.getExecutionId(),
		context.getNode().id,
		context.evaluateExpression('{{ $runIndex }}', itemIndex),
		itemIndex,
		operation.id,
	];
	const hash = createHash('sha256').update(JSON.stringify(where));
	for (const input of operation.inputs) {
		const value = values.get(input.id);
		if (value === undefined || input.id === id) continue;
		hash.update(`\n${input.id}:`).update(isFile(value) ? value.identity : JSON.stringify(value));
	}
	return `n8n-${hash.digest('hex')}`;
}
