'use strict';

// Every step, through Zapier's core, against an API on this machine. No other host is reached.

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');

const zapier = require('zapier-platform-core');
const schema = require('zapier-platform-schema');

const App = require('../index');
const { at, putAt } = require('../runtime/pointers');
const { startApi } = require('./api');
const { entriesOf } = require('./entries');

const run = zapier.createAppHandler(App);
const CALLBACK = 'https://hooks.invalid/callback/1';
const ERRORS = { 401: 'ExpiredAuthError', 402: 'HaltedError', 422: 'HaltedError', 429: 'ThrottledError', 500: 'AppError' };

const asked = App.authentication?.fields ?? [];
const authData = Object.fromEntries(asked.map((field) => [field.key, field.default ?? 'secret-of-the-test']));

const execute = (method, bundle, more) => run({ command: 'execute', method, bundle: { authData, ...bundle }, ...more });

// An answer in which a job stands as a plan of it says: ended like this, with this at each of its outputs.
const jobOf = ({ job }, state) => {
  const id = Object.values(job.status.inputs)[0].from;
  const outputs = job.outputs.map(({ pointer }) => [pointer, 'done']);
  return [[job.state, state], [id, 'job_1'], ...outputs].reduce(
    (made, [pointer, value]) => (at(made, pointer) === undefined ? putAt(made, pointer, value) : made),
    {},
  );
};

const plans = (kind, key) => require(`../${kind}/${key}.json`).plan;
const inputsOf = (kind, key) => entriesOf(plans(kind, key).call.inputs, App[kind][key].operation.inputFields);

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
      const inputData = inputsOf('creates', key);
      if (plan.call.answer === 'file') return; // that would be handed to Zapier
      const { status } = await execute(`creates.${key}.operation.perform`, { inputData }, { callback_url: CALLBACK });
      assert.equal(api.requests.length, 1);
      assert.equal(api.requests[0].method, plan.call.method);
      assert.equal(status, plan.job?.callback ? 'CALLBACK' : 'SUCCESS');
      if (plan.job?.callback) assert.match(api.requests[0].body, /hooks\.invalid/);
    });

    for (const [status, name] of Object.entries(ERRORS)) {
      it(`ends in ${name} where ${key} is answered with ${status}`, async () => {
        api.answer({ status: Number(status), body: { error: 'Said by the API' } });
        const inputData = inputsOf('creates', key);
        const failing = execute(`creates.${key}.operation.perform`, { inputData }, { callback_url: CALLBACK });
        await assert.rejects(failing, (error) => error.name === name && error.message.includes('Said by the API'));
        assert.equal(api.requests.length, 1);
      });
    }

    if (!plan.job?.callback) continue;
    const resumed = async (state, answer = { body: jobOf(plan, state) }, cleanedRequest = {}) => {
      api.answer(answer);
      const bundle = { inputData: {}, outputData: jobOf(plan, 'accepted'), cleanedRequest };
      return execute(`creates.${key}.operation.performResume`, bundle);
    };

    it(`answers what came of ${key} when it is called back`, async () => {
      const { results } = await resumed(plan.job.succeeded[0]);
      assert.deepEqual(Object.keys(results), plan.job.outputs.map(({ name }) => name));
    });

    it(`keeps what came of ${key} where the job cannot be looked up just now`, async () => {
      const [state] = plan.job.succeeded;
      const told = putAt({}, plan.job.callback.job, jobOf(plan, state));
      for (const status of [429, 503]) {
        const { results } = await resumed(state, { status, body: {} }, told);
        assert.deepEqual(Object.keys(results), plan.job.outputs.map(({ name }) => name));
      }
    });

    it(`stops where ${key} has failed`, async () => {
      await assert.rejects(resumed(plan.job.failed[0]), { name: 'HaltedError' });
    });
  }

  for (const key of Object.keys(App.searches)) {
    it(`finds nothing by ${key} where there is nothing`, async () => {
      if (plans('searches', key).call.answer === 'file') return; // that is fetched later
      api.answer({ status: 404, body: { error: 'Not found' } });
      const { results } = await execute(`searches.${key}.operation.perform`, { inputData: inputsOf('searches', key) });
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
