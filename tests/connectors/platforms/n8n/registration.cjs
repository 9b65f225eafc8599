// The compiled trigger as n8n starts it, without n8n: `node registration.cjs FOLDER` prints whether its webhook is known.
// Standard input has what the service lists, newest first.
const { readFileSync } = require('node:fs');
const path = require('node:path');

const folder = path.resolve(process.argv[2]);
const { AiopsTrigger } = require(path.join(folder, 'dist/nodes/AiopsTrigger/AiopsTrigger.node.js'));
const { url, events, mode, webhooks } = JSON.parse(readFileSync(0, 'utf8'));

async function listed(_, { url: asked }) {
  const { searchParams } = new URL(asked);
  const start = Number(searchParams.get('cursor') ?? 0);
  const end = start + Number(searchParams.get('limit') ?? 20);
  const body = { data: webhooks.slice(start, end), next_cursor: end < webhooks.length ? String(end) : null };
  return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
const context = {
  getNode: () => ({ id: 'node', name: 'Job', type: 'aiopsTrigger', typeVersion: 1, position: [0, 0], parameters: {} }),
  getNodeParameter: () => events,
  getActivationMode: () => mode,
  getNodeWebhookUrl: () => url,
  getWorkflowStaticData: () => ({ subscription: { id: 'hook_1' }, wanted: JSON.stringify([url, events]) }),
  getCredentials: async () => ({ baseUrl: 'https://aiops.example', apiKey: 'key' }),
  helpers: { httpRequestWithAuthentication: listed },
};
new AiopsTrigger().webhookMethods.default.checkExists
  .call(context)
  .then((isKnown) => process.stdout.write(JSON.stringify(isKnown)));
