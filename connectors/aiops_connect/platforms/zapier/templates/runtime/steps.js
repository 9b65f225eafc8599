'use strict';

// The steps of the app: what Zapier shows of each, and what it does.

const { stash, withFiles, hydrators } = require('./files');
const { deliver, listed, subscribe, unsubscribe } = require('./hooks');
const { keyOf } = require('./idempotency');
const { performJob, resumeJob } = require('./jobs');
const { options } = require('./lists');
const { at } = require('./pointers');
const { answerOf, asObject, own, requestOf, send } = require('./requests');
const { valuesOf } = require('./values');

const byKey = (steps) => Object.fromEntries(steps.map((step) => [step.key, step]));

const withOperation = (definition, operation) => ({ ...definition, operation: { ...definition.operation, ...operation } });

const performOnce = async (z, bundle, plan, definition) => {
  const values = await valuesOf(z, bundle, plan.call.inputs);
  const entered = bundle.inputData?.deduplication_key;
  const key = plan.idempotency && keyOf({ entered, step: definition.key, values, isEditor: bundle.meta?.isLoadingSample });
  const all = key ? [...values, ...own(plan.call.own ?? {}, { [plan.idempotency]: key })] : values;
  const request = await requestOf(z, bundle, plan.call, all);
  const response = await send(z, bundle, request, plan.call, { isRepeatable: Boolean(key) });
  if (plan.call.answer === 'file') return { file: await stash(z, request.url, response) };
  return withFiles(z, asObject(answerOf(z, plan.call, response)), plan.files);
};

const create = ({ definition, plan }) =>
  withOperation(
    definition,
    plan.job
      ? {
          perform: (z, bundle) => performJob(z, bundle, plan, definition),
          ...(plan.job.callback ? { performResume: (z, bundle) => resumeJob(z, bundle, plan) } : {}),
        }
      : { perform: (z, bundle) => performOnce(z, bundle, plan, definition) },
  );

const isWanted = (plan, bundle, item) => {
  const text = String(bundle.inputData?.[plan.narrow?.key] ?? '').trim().toLowerCase();
  return text === '' || String(at(item, plan.narrow.pointer) ?? '').toLowerCase() === text;
};

// What is not there is not found: no error.
const searchOnce = async (z, bundle, plan) => {
  const values = await valuesOf(z, bundle, plan.call.inputs);
  const request = await requestOf(z, bundle, plan.call, values);
  if (plan.call.answer === 'file') {
    return [{ file: z.dehydrateFile(hydrators.downloadAnswer, { described: plan.call, values }) }];
  }
  const response = await send(z, bundle, request, plan.call, { expected: [404] });
  if (response.status === 404) return [];
  const answer = answerOf(z, plan.call, response);
  const items = plan.items === undefined ? [answer] : (at(answer, plan.items) ?? []);
  return [items]
    .flat()
    .map((item) => withFiles(z, asObject(item), plan.files))
    .filter((item) => isWanted(plan, bundle, item));
};

const search = ({ definition, plan }) =>
  withOperation(definition, { perform: (z, bundle) => searchOnce(z, bundle, plan) });

const hook = ({ definition, plan }) =>
  withOperation(definition, {
    performSubscribe: (z, bundle) => subscribe(z, bundle, plan),
    performUnsubscribe: (z, bundle) => unsubscribe(z, bundle, plan),
    performList: (z, bundle) => listed(z, bundle, plan),
    perform: (z, bundle) => deliver(z, bundle, plan),
  });

const list = ({ definition, plan }) =>
  withOperation(definition, { perform: (z, bundle) => options(z, bundle, plan) });

module.exports = { byKey, create, hook, list, search };
