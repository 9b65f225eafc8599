'use strict';

// Every step, through Zapier's core, against an API on this machine. No other host is reached.

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');

const zapier = require('zapier-platform-core');
const schema = require('zapier-platform-schema');

const App = require('../index');
const { startApi } = require('./api');

const run = zapier.createAppHandler(App);
const CALLBACK = 'https://hooks.invalid/callback/1';

const authData = Object.fromEntries((App.authentication?.fields ?? []).map((field) => [field.key, field.default ?? 'secret-of-the-test']));

const execute = (method, bundle, more) => run({ command: 'execute', method, bundle: { authData, ...bundle }, ...more });

const valueOf = (field) => {
  if (field.choices) return Array.isArray(field.choices) ? field.choices[0].value : Object.keys(field.choices)[0];
  if (field.default) return field.default;
  const made = { integer: 1, number: 1, boolean: true, datetime: '2026-01-05T10:15:00Z', json: '{"a":1}', file: 'a text' };
  const value = field.dict ? { a: 'b' } : (made[field.type] ?? field.placeholder ?? 'a text');
  return field.list ? [value] : value;
};

const inputsOf = (step) =>
  Object.fromEntries(
    step.operation.inputFields
      .filter((field) => field.required || field.children)
      .flatMap((field) =>
        field.children
          ? [[field.key, [Object.fromEntries(field.children.map((child) => [child.key, valueOf(child)]))]]]
          : [[field.key, valueOf(field)]],
      ),
  );

const plans = (kind, key) => require(`../${kind}/${key}.json`).plan;

describe('the app', () => {
  let api;
  before(async () => {
    api = await startApi();
  });
  after(() => api.close());

  it('has a sound definition', async () => {
    const { results } = await run({ command: 'definition' });
    assert.deepEqual(schema.validateAppDefinition(results).errors, []);
  });

  for (const key of Object.keys(App.creates)) {
    const plan = plans('creates', key);
    it(`performs ${key} by one call`, async () => {
      api.answer({ status: plan.job ? Number(plan.job.acceptedStatus) : 200, body: { id: 'job_1' } });
      const inputData = inputsOf(App.creates[key]);
      if (plan.call.answer === 'file') return; // that would be handed to Zapier
      const { status } = await execute(`creates.${key}.operation.perform`, { inputData }, { callback_url: CALLBACK });
      assert.equal(api.requests.length, 1);
      assert.equal(api.requests[0].method, plan.call.method);
      assert.equal(status, plan.job?.callback ? 'CALLBACK' : 'SUCCESS');
      if (plan.job?.callback) assert.match(api.requests[0].body, /hooks\.invalid/);
    });

    it(`tells people to connect anew where ${key} is refused the key`, async () => {
      if (!App.authentication) return;
      api.answer({ status: 401, body: { error: 'Unknown key' } });
      const inputData = inputsOf(App.creates[key]);
      const failing = execute(`creates.${key}.operation.perform`, { inputData }, { callback_url: CALLBACK });
      await assert.rejects(failing, { name: 'ExpiredAuthError' });
    });

    it(`waits as long as it is told where ${key} is called too often`, async () => {
      api.answer({ status: 429, body: { error: 'Too many' }, headers: { 'Retry-After': '17' } });
      const inputData = inputsOf(App.creates[key]);
      const failing = execute(`creates.${key}.operation.perform`, { inputData }, { callback_url: CALLBACK });
      await assert.rejects(failing, (error) => error.name === 'ThrottledError' && JSON.parse(error.message).delay === 17);
    });
  }

  for (const key of Object.keys(App.searches)) {
    it(`finds nothing by ${key} where there is nothing`, async () => {
      if (plans('searches', key).call.answer === 'file') return; // that is fetched later
      api.answer({ status: 404, body: { error: 'Not found' } });
      const { results } = await execute(`searches.${key}.operation.perform`, { inputData: inputsOf(App.searches[key]) });
      assert.deepEqual(results, []);
      assert.equal(api.requests.length, 1);
    });
  }

  for (const [key, trigger] of Object.entries(App.triggers).filter(([, one]) => one.operation.type === 'hook')) {
    it(`leaves an unsigned delivery of ${key} aside where deliveries are signed`, async () => {
      const plan = plans('triggers', key);
      const bundle = {
        inputData: {},
        cleanedRequest: trigger.operation.sample,
        rawRequest: { headers: {}, content: JSON.stringify(trigger.operation.sample) },
        subscribeData: { secret: 'whsec_c2VjcmV0' },
      };
      const { results } = await execute(`triggers.${key}.operation.perform`, bundle);
      assert.equal(results.length, plan.signature ? 0 : 1);
    });
  }
});
