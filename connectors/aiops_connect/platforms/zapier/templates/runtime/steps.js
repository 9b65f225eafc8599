'use strict';

// The steps of the app: what Zapier shows of each, and what it does.

const { stash, withFiles } = require('./files');
const { deliver, listed, subscribe, unsubscribe } = require('./hooks');
const { entered, keyOf } = require('./idempotency');
const { performJob, resumeJob } = require('./jobs');
const { options } = require('./lists');
const { answerOf, asObject, own, requestOf, send } = require('./requests');
const { searched } = require('./searches');
const { valuesOf } = require('./values');

/** @type {(steps: Definition[]) => Record<string, Definition>} */
const byKey = (steps) => Object.fromEntries(steps.map((step) => [step.key, step]));

/** @type {(definition: Definition, operation: Record<string, Perform>) => Definition} */
const withOperation = (definition, operation) => ({ ...definition, operation: { ...definition.operation, ...operation } });

/** @type {(z: Z, bundle: Bundle, plan: Plan, definition: Definition) => Promise<Json>} */
const performOnce = async (z, bundle, plan, definition) => {
  const values = await valuesOf(z, bundle, plan.call.inputs);
  const isEditor = bundle.meta?.isLoadingSample;
  const key = plan.idempotency && keyOf({ entered: entered(bundle), step: definition.key, values, isEditor });
  const all = key ? [...values, ...own(plan.call.own ?? {}, { [plan.idempotency]: key })] : values;
  const request = await requestOf(z, bundle, plan.call, all);
  const response = await send(z, bundle, request, plan.call, { isRepeatable: Boolean(key) });
  if (plan.call.answer === 'file') return { file: await stash(z, request.url, response) };
  return withFiles(z, asObject(answerOf(z, plan.call, response)), plan.files);
};

/** @type {(step: { definition: Definition, plan: Plan }) => Definition} */
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

/** @type {(step: { definition: Definition, plan: Plan }) => Definition} */
const search = ({ definition, plan }) =>
  withOperation(definition, { perform: (z, bundle) => searched(z, bundle, plan) });

/** @type {(step: { definition: Definition, plan: HookPlan }) => Definition} */
const hook = ({ definition, plan }) =>
  withOperation(definition, {
    performSubscribe: (z, bundle) => subscribe(z, bundle, plan),
    performUnsubscribe: (z, bundle) => unsubscribe(z, bundle, plan),
    performList: (z, bundle) => listed(z, bundle, plan),
    perform: (z, bundle) => deliver(z, bundle, plan),
  });

/** @type {(step: { definition: Definition, plan: ListPlan }) => Definition} */
const list = ({ definition, plan }) =>
  withOperation(definition, { perform: (z, bundle) => options(z, bundle, plan) });

module.exports = { byKey, create, hook, list, search };
