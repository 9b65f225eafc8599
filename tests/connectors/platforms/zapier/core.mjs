// An app in Zapier's core: `node core.mjs APP_FOLDER`. A line in is an event as Zapier's platform sends it; a line out
// is what came of it. Where core would call Zapier, for files and cursors, it calls this process.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import path from 'node:path';

console.log = console.error; // standard output is for what comes of events

const stashed = [];
const cursors = new Map();

const read = async (request) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
};

const partOf = (request, body) => {
  const response = new Response(body, { headers: { 'content-type': request.headers['content-type'] } });
  return response.formData();
};

const answer = (method, params, port) => {
  if (method === 'get_cursor') return cursors.get('cursor') ?? null;
  if (method === 'set_cursor') return void cursors.set('cursor', params[0]);
  return { url: `http://127.0.0.1:${port}/s3/`, fields: { key: `cli-platform/${stashed.length}` } };
};

const zapier = createServer(async (request, response) => {
  const body = await read(request);
  if (request.url === '/platform/rpc/cli') {
    const { id, method, params } = JSON.parse(body);
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ id, result: answer(method, params, zapier.address().port) ?? null }));
    return;
  }
  const form = await partOf(request, body);
  const file = form.get('file');
  const bytes = Buffer.from(await file.arrayBuffer());
  stashed.push({ name: file.name, type: form.get('Content-Type') ?? file.type, content: bytes.toString('base64') });
  response.writeHead(204).end();
});
await new Promise((resolve) => zapier.listen(0, '127.0.0.1', resolve));
process.env.ZAPIER_BASE_ENDPOINT = `http://127.0.0.1:${zapier.address().port}`;
process.env.ZAPIER_DEPLOY_KEY = 'none';

const folder = path.resolve(process.argv[2]);
const require = createRequire(path.join(folder, 'index.js'));
const core = require('zapier-platform-core');
const handler = core.createAppHandler(require(folder));

for await (const line of createInterface({ input: process.stdin })) {
  const event = JSON.parse(line);
  let told;
  try {
    const { results, status } = await handler({ isDeveloper: true, ...event });
    told = { results, status };
  } catch (error) {
    told = { error: error.name, message: error.message };
  }
  process.stdout.write(`${JSON.stringify({ ...told, stashed: stashed.splice(0) })}\n`);
}
process.exit(0);
