/** What work has cost, what came back, and what can still be spent. */
import type { IDataObject } from 'n8n-workflow';

import { at } from './pointer';
import { call } from './transport';
import type { Credits, Work } from './types';

/** The credits of each of several jobs. What is left is the same for all: `answer` says it, or it is asked for once. */
export async function spent(work: Work, credits: Credits, jobs: unknown[], answer?: unknown): Promise<IDataObject[]> {
	const left = jobs.length === 0 ? null : (numberAt(answer, credits.left) ?? (await balance(work, credits)));
	return jobs.map((job) => ({
		charged: numberAt(job, credits.charged) ?? credits.price ?? null,
		refunded: numberAt(job, credits.refunded) ?? (credits.refunded === undefined ? 0 : null),
		left,
	}));
}

/** What can be spent now; null where the service does not say. No result is lost for want of this number. */
async function balance({ context, api, itemIndex }: Work, credits: Credits): Promise<number | null> {
	if (credits.balance === undefined) return null;
	try {
		const operation = api.operations[credits.balance.operation];
		const answer = await call(context, api, operation, new Map(), { itemIndex, patienceSeconds: 0 });
		return numberAt(answer.body, credits.balance.left) ?? null;
	} catch (cause) {
		context.logger.debug(`What is left to spend is not known: ${(cause as Error).message}`);
		return null;
	}
}

function numberAt(value: unknown, pointer: string | undefined): number | undefined {
	const found = pointer === undefined ? undefined : at(value, pointer);
	return typeof found === 'number' ? found : undefined;
}
