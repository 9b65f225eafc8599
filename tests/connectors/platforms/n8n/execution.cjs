// One execution of the compiled node, without n8n: `node execution.cjs FOLDER` prints what comes of it. Standard input says
// what is entered, and what n8n does meanwhile. Pauses pass at once, and are printed.
const Module = require('node:module');
const { readFileSync } = require('node:fs');
const path = require('node:path');

const folder = path.resolve(process.argv[2]);
const { base, parameters, isContinuing, isStopping, lacks } = JSON.parse(readFileSync(0, 'utf8'));
const { _load: load } = Module;
const { now } = Date;
const pauses = [];
let passed = 0;
Date.now = () => now() + passed;
const sleep = async (milliseconds) => {
  passed += milliseconds;
  pauses.push(milliseconds / 1000);
};
Module._load = (name, ...rest) => (name === 'n8n-workflow' ? { ...load(name, ...rest), sleep } : load(name, ...rest));
const axios = require(path.join(folder, 'node_modules/axios'));
const { Aiops } = require(path.join(folder, 'dist/nodes/Aiops/Aiops.node.js'));

const node = new Aiops();
const { resource, operation } = parameters;
const own = { resource: [resource], operation: [operation] };
const shown = node.description.properties.filter(({ displayOptions }) =>
  Object.entries(displayOptions?.show ?? {}).every(([name, values]) => values.some((one) => (own[name] ?? [one]).includes(one))),
);
const defaults = Object.fromEntries(shown.map((one) => [one.name, one.default]));
const stop = new AbortController();
const problems = [];

// As n8n does it: the signal of the execution is given to a call where the context has one.
async function sent({ url, method = 'GET', headers, body, timeout, encoding, disableFollowRedirect }, signal) {
  const answer = axios.request({
    url,
    method,
    headers,
    data: body,
    timeout,
    signal,
    responseType: encoding === 'stream' ? 'stream' : 'text',
    transformResponse: (text) => text,
    validateStatus: () => true,
    maxRedirects: disableFollowRedirect ? 0 : 5,
  });
  const response = await answer;
  return { body: response.data, headers: response.headers, statusCode: response.status };
}
async function withKey(_, options) {
  const signal = 'getExecutionCancelSignal' in this ? this.getExecutionCancelSignal() : undefined;
  if (isStopping && options.method === 'POST') setTimeout(() => stop.abort(), 100);
  return await sent({ ...options, headers: { ...options.headers, Authorization: 'Bearer key' } }, signal);
}
async function prepareBinaryData(content, fileName, mimeType) {
  const chunks = [];
  for await (const chunk of Buffer.isBuffer(content) ? [content] : content) chunks.push(chunk);
  return { fileName, mimeType, data: Buffer.concat(chunks).toString('base64') };
}
const context = {
  getInputData: () => [{ json: {} }],
  getNode: () => ({ id: 'node', name: 'aiops', type: 'aiops', typeVersion: 1, position: [0, 0], parameters: {} }),
  getNodeParameter: (name, _, otherwise) => parameters[name] ?? defaults[name] ?? otherwise,
  getWorkflow: () => ({ id: 'workflow' }),
  getExecutionId: () => 'execution',
  evaluateExpression: () => 0,
  getContext: () => ({}),
  getCredentials: async () => ({ baseUrl: base, apiKey: 'key' }),
  getExecutionCancelSignal: () => stop.signal,
  onExecutionCancellation: (told) => stop.signal.addEventListener('abort', told),
  isToolExecution: () => false,
  continueOnFail: () => isContinuing,
  logger: { debug: () => {}, warn: (text) => problems.push(text) },
  helpers: {
    httpRequest: async ({ abortSignal, ...options }) => await sent(options, abortSignal),
    httpRequestWithAuthentication: withKey,
    assertBinaryData: () => ({ mimeType: 'audio/wav', fileName: 'memo.wav' }),
    getBinaryDataBuffer: async () => Buffer.from('a memo'),
    prepareBinaryData,
  },
};
for (const name of lacks) delete context[name];

node.execute.call(context).then(
  ([items]) => ({ items }),
  ({ message, description, context: { details } = {} }) => ({ error: { message, description, details } }),
).then((done) => process.stdout.write(JSON.stringify({ ...done, pauses, problems })));
