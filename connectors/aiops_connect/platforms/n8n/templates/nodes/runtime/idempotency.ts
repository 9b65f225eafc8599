/** One key for one piece of work: the same when n8n tries a node again, another for each item, run and execution. */
import { createHash } from 'node:crypto';
import type { IExecuteFunctions } from 'n8n-workflow';

import { isFile } from './encoding';
import type { Operation, Values } from './types';

/** The key for an item, out of where the work is asked for and what is asked for. */
export function idempotencyKey(
	context: IExecuteFunctions,
	operation: Operation,
	values: Values,
	itemIndex: number,
): string {
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
		if (value === undefined) continue;
		hash.update(`\n${input.id}:`).update(isFile(value) ? value.identity : JSON.stringify(value));
	}
	return `n8n-${hash.digest('hex')}`;
}
