// The rendered Zapier app, without Zapier's core: `node zapier.mjs FOLDER` prints its definition, the plans of its steps,
// and what becomes of answers. Standard input has the answers to try: a list of [kind, key, inputs, status, body].
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import path from 'node:path';

registerHooks({
  resolve: (name, context, next) =>
    name === 'zapier-platform-core' ? { url: 'core:', shortCircuit: true } : next(name, context),
  load: (url, context, next) =>
    url === 'core:'
      ? { format: 'commonjs', source: "module.exports = { version: '0.0.0' };", shortCircuit: true }
      : next(url, context),
});

const folder = path.resolve(process.argv[2]);
const require = createRequire(path.join(folder, 'index.js'));
const app = require('./index.js');
const { isOwn } = require('./runtime/address.js');

const kindOf = (name) => class extends Error { get kind() { return name; } };
const names = ['Error', 'HaltedError', 'ExpiredAuthError', 'ThrottledError', 'RefreshAuthError'];
const errors = Object.fromEntries(names.map((name) => [name, kindOf(name)]));

const plans = {};
for (const kind of ['creates', 'searches', 'triggers']) {
  const listed = app[kind] ?? {};
  plans[kind] = {};
  for (const name of Object.keys(listed).length > 0 ? readdirSync(path.join(folder, kind)) : []) {
    const { definition, plan } = require(`./${kind}/${name}`);
    plans[kind][definition.key] = plan;
  }
}

// What a step comes to where the API answers everything like this.
const tried = async ([kind, key, inputData, status, body]) => {
  let url;
  const bundle = { inputData, authData: { access_token: 'x' }, meta: {} };
  const z = {
    errors,
    generateCallbackUrl: () => 'https://zapier.example/callback',
    dehydrateFile: () => 'https://zapier.example/file',
    stashFile: async () => 'https://zapier.example/file',
    cache: { get: async () => null, set: async () => true },
    request: async (request) => {
      url ??= request.url;
      const headers = new Headers({ 'content-type': 'application/json', ...(status === 429 ? { 'retry-after': '9' } : {}) });
      const content = JSON.stringify(body);
      const response = { status, headers, content, body: [Buffer.from(content)], request }; // as text, or still to be read
      for (const check of app.afterResponse) await check(response, z, bundle);
      return response;
    },
  };
  try {
    const found = await app[kind][key].operation.perform(z, bundle);
    return { url, isOwn: isOwn(url, bundle), kind: Array.isArray(found) && found.length === 0 ? 'nothing' : 'success', message: '' };
  } catch (error) {
    return { url, isOwn: isOwn(url, bundle), kind: error.kind ?? error.name, message: error.message };
  }
};

const outcomes = [];
for (const one of JSON.parse(readFileSync(0, 'utf8'))) outcomes.push(await tried(one));
const definition = Object.fromEntries(['creates', 'searches', 'triggers'].map((kind) => [kind, app[kind] ?? {}]));
console.log(JSON.stringify({ definition, plans, outcomes }));
