/** Lists to choose from. */
import type { ILoadOptionsFunctions, INodeListSearchItems, INodeListSearchResult } from 'n8n-workflow';

import { page } from './pages';
import { textAt } from './pointer';
import { bound } from './transport';
import type { Api, ListSource } from './types';

type Search = (
	this: ILoadOptionsFunctions,
	filter?: string,
	paginationToken?: string,
) => Promise<INodeListSearchResult>;

/** A list that stands in the description of the API. */
export function choices(options: INodeListSearchItems[]): Search {
	return async function (filter) {
		return { results: options.filter((option) => matches(option, filter)) };
	};
}

/** A list that the API answers. */
export function listed(api: Api, source: ListSource): Search {
	return async function (filter, paginationToken) {
		const operation = api.operations[source.call.operation];
		const values = bound(source.call.bindings, undefined);
		const { items, token } = await page(this, api, operation, values, paginationToken, source.items);
		const results = items.map((item): INodeListSearchItems => {
			const value = textAt(item, source.value);
			const label = textAt(item, source.label);
			return { name: label === '' || label === value ? value : `${label} (${value})`, value };
		});
		return { results: results.filter((option) => matches(option, filter)), paginationToken: token };
	};
}

function matches(option: INodeListSearchItems, filter: string | undefined): boolean {
	const wanted = (filter ?? '').toLowerCase();
	return option.name.toLowerCase().includes(wanted) || String(option.value).toLowerCase().includes(wanted);
}
