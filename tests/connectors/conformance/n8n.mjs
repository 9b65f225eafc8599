// The rendered n8n package as its TypeScript says it, without n8n: `node n8n.mjs FOLDER` prints what its node shows, what
// it calls, what its lists hold, and what becomes of answers. Standard input has the answers to try, a list of
// [operation id, status, body].
import { readdirSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const N8N = `
  export const NodeConnectionTypes = { Main: 'main' };
  export class NodeOperationError extends Error {}
  export class NodeApiError extends Error {
    constructor(node, cause, options) { super(options.message); Object.assign(this, options); this.context = {}; }
  }
  export const sleep = async () => {};
  export const tryToParseDateTime = (text) => ({ toJSDate: () => new Date(text) });
`;
const N8N_URL = `data:text/javascript,${encodeURIComponent(N8N)}`;
registerHooks({
  resolve: (name, context, next) => {
    if (name === 'n8n-workflow') return { url: N8N_URL, shortCircuit: true };
    return next(name.startsWith('.') && path.extname(name) === '' ? `${name}.ts` : name, context);
  },
});

const nodes = path.resolve(process.argv[2], 'nodes');
const files = readdirSync(nodes, { recursive: true }).filter((name) => name.endsWith('.node.ts'));
const load = (name) => import(pathToFileURL(path.join(nodes, name)));
const made = async (name) => new (Object.values(await load(name))[0])();
const [trigger] = await Promise.all(files.filter((name) => name.endsWith('Trigger.node.ts')).map(made));
const main = files.find((name) => !name.endsWith('Trigger.node.ts'));
const node = await made(main);
const { api } = await load(path.join(path.dirname(main), 'api.ts'));
const { call } = await load('runtime/transport.ts');

const lists = {};
for (const [name, search] of Object.entries(node.methods?.listSearch ?? {})) {
  try {
    lists[name] = (await search.call({})).results.map((one) => one.value);
  } catch {
    lists[name] = null; // it asks the API
  }
}

// What a call comes to where the API answers like this, and how many times it is made.
const tried = async ([id, status, body]) => {
  let calls = 0;
  let url;
  const answer = async (_credential, options) => {
    calls += 1;
    url = options.url;
    const again = status === 429 && calls === 1 ? { 'retry-after': '1' } : {};
    return { statusCode: status, headers: { 'content-type': 'application/json', ...again }, body: JSON.stringify(body) };
  };
  const context = {
    getNode: () => ({}),
    getInputData: () => [],
    getNodeParameter: (_name, _item, otherwise) => otherwise,
    getCredentials: async () => ({ baseUrl: 'https://api.example/v1' }),
    helpers: { httpRequestWithAuthentication: answer, binaryToBuffer: async (content) => Buffer.from(content) },
  };
  const operation = Object.values(api.operations).find((one) => one.id === id);
  const values = new Map(operation.inputs.filter((one) => one.location === 'path').map((one) => [one.id, '1']));
  try {
    await call(context, api, operation, values);
    return { url, calls, message: '' };
  } catch (error) {
    return { url, calls, message: `${error.message} ${error.description}` };
  }
};

const outcomes = [];
for (const one of JSON.parse(readFileSync(0, 'utf8'))) outcomes.push(await tried(one));
const { properties } = node.description;
const events = trigger?.description.properties.find((one) => one.name === 'events')?.options ?? [];
console.log(JSON.stringify({ properties, operations: api.operations, lists, events, outcomes }));
