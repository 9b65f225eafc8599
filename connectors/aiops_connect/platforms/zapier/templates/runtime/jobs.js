'use strict';

// Work that may outlast a step: started by one fast call, told of by a callback, and looked up then. What is called
// back proves nothing: only what the API answers to a call with the connection's own credentials counts.

const { setTimeout: sleep } = require('node:timers/promises');

const { failed, halted } = require('./errors');
const { withFiles } = require('./files');
const { entered, keyOf } = require('./idempotency');
const { payloadOf } = require('./payloads');
const { at } = require('./pointers');
const { answerOf, call, own, requestOf, send } = require('./requests');
const { valuesOf } = require('./values');

const BRIEF_MS = 20_000;
const RESUME_MS = 5_000; // a callback comes when the job has ended: this is for one that does not
const POLL_MS = [250, 500, 1000, 1500, 2000];
const CALL_MS = 10_000;

// Errors that pass: no answer, the server's own trouble, or too many calls.
const PASSING = ['AppError', 'ThrottledError'];

const SAMPLE_ONLY = 'test_with_sample';

/** @type {(plan: Plan) => Pointer} */
const idOf = (plan) => Object.values(plan.job.status.inputs)[0].from;

/** @type {(plan: Plan, found: Json) => boolean} */
const hasEnded = ({ job }, found) => [...job.succeeded, ...job.failed, ...job.cancelled].includes(at(found, job.state));

// The answer of the step, out of a job that has ended. Throws where there is none.
/** @type {(z: Z, plan: Plan, found: Json) => Json} */
const resultOf = (z, plan, found) => {
  const { job } = plan;
  const state = at(found, job.state);
  if (job.succeeded.includes(state)) {
    const answer = Object.fromEntries(job.outputs.map((output) => [output.name, at(found, output.pointer)]));
    const set = Object.fromEntries(Object.entries(answer).filter(([, value]) => value !== undefined));
    return withFiles(z, set, plan.files, (file) => sourceOf(plan, found, file));
  }
  const reason = job.reason === undefined ? undefined : at(found, job.reason);
  const refunded = job.refunded === undefined ? 0 : Number(at(found, job.refunded) ?? 0);
  const what = job.cancelled.includes(state) ? 'was cancelled' : 'failed';
  const credits = refunded > 0 ? ` ${refunded} credits were refunded.` : '';
  throw halted(z, `The job ${what}${reason ? `: ${String(reason).replace(/[.\s]+$/, '')}` : ''}.${credits}`);
};

/** @type {(plan: Plan, found: Json, file: FileOutput) => object | undefined} */
const sourceOf = ({ job }, found, file) => {
  const inputs = Object.entries(job.status.inputs).map(([name, { from }]) => [name, { value: at(found, from) }]);
  const output = job.outputs.find((one) => `/${one.name}` === file.pointer);
  return output && { source: { operation: job.status.operation, inputs: Object.fromEntries(inputs) }, pointer: output.pointer };
};

// Looks the job up until it has ended or the time is over.
/** @type {(z: Z, bundle: Bundle, plan: Plan, started: Json, milliseconds: number) => Promise<Json>} */
const waited = async (z, bundle, plan, started, milliseconds) => {
  const until = Date.now() + milliseconds;
  let found = started;
  for (let count = 0; !hasEnded(plan, found); count += 1) {
    const pause = POLL_MS[Math.min(count, POLL_MS.length - 1)];
    if (Date.now() + pause > until) break;
    await sleep(pause);
    found = await call(z, bundle, plan.job.status, started, { timeoutMs: CALL_MS });
  }
  return found;
};

/** @type {(z: Z, bundle: Bundle, plan: Plan, values: InputValue[], more: Record<string, Json>) => Promise<Started>} */
const started = async (z, bundle, plan, values, more) => {
  const { call: described, job } = plan;
  const start = Object.fromEntries(Object.entries(job.start).map(([id, { value }]) => [id, value]));
  const all = [...values, ...own(described.own ?? {}, { ...start, ...more })];
  const isRepeatable = Boolean(entered(bundle)); // a key of ours may be another one when the run is replayed
  const response = await send(z, bundle, await requestOf(z, bundle, described, all), described, { isRepeatable });
  const body = answerOf(z, described, response);
  const isOneStatus = /^\d+$/.test(job.acceptedStatus); // otherwise a range of them, or any
  const isAccepted = isOneStatus ? String(response.status) === job.acceptedStatus : at(body, idOf(plan)) !== undefined;
  return { isAccepted, body };
};

// In a run: one call, and the run waits to be called back.
/** @type {(z: Z, bundle: Bundle, plan: Plan, values: InputValue[], step: string) => Promise<Json>} */
const performLive = async (z, bundle, plan, values, step) => {
  const callbackUrl = z.generateCallbackUrl();
  const key = keyOf({ entered: entered(bundle), step, values, callbackUrl });
  const more = { [plan.job.callback.field]: callbackUrl, ...(plan.idempotency ? { [plan.idempotency]: key } : {}) };
  const { body } = await started(z, bundle, plan, values, more);
  return body;
};

// Where nothing is called back, it waits a little. The editor shows what there is by then. A run that has no result by
// then is halted and names its job: Zapier would repeat it otherwise, and start another.
/** @type {(z: Z, bundle: Bundle, plan: Plan, values: InputValue[], step: string) => Promise<Json>} */
const performBriefly = async (z, bundle, plan, values, step) => {
  const isEditor = Boolean(bundle.meta?.isLoadingSample);
  const key = keyOf({ entered: entered(bundle), step, values, isEditor });
  const { isAccepted, body } = await started(z, bundle, plan, values, plan.idempotency ? { [plan.idempotency]: key } : {});
  if (!isAccepted) return withFiles(z, body, plan.files);
  const found = await waited(z, bundle, plan, body, BRIEF_MS).catch((error) => {
    if (isEditor || !PASSING.includes(error.name)) throw error;
    return body;
  });
  if (hasEnded(plan, found)) return resultOf(z, plan, found);
  if (!isEditor) {
    throw halted(z, `The job ${at(body, idOf(plan))} has not ended so far. Look it up by its id before you replay this run.`);
  }
  const soFar = Object.fromEntries(plan.job.outputs.map((output) => [output.name, at(found, output.pointer) ?? null]));
  return soFar;
};

/** @type {(z: Z, bundle: Bundle, plan: Plan, definition: Definition) => Promise<Json>} */
const performJob = async (z, bundle, plan, { key: step, operation }) => {
  const isEditor = Boolean(bundle.meta?.isLoadingSample);
  const values = await valuesOf(z, bundle, plan.call.inputs);
  if (isEditor && String(bundle.inputData?.[SAMPLE_ONLY]).toLowerCase() === 'true') return operation.sample;
  return isEditor || !plan.job.callback
    ? performBriefly(z, bundle, plan, values, step)
    : performLive(z, bundle, plan, values, step);
};

// What was called back, where it is of this job.
/** @type {(bundle: Bundle, plan: Plan) => Json} */
const toldOf = (bundle, plan) => {
  const told = at(payloadOf(bundle), plan.job.callback.job);
  return at(told, idOf(plan)) === at(bundle.outputData, idOf(plan)) ? told : undefined;
};

/** @type {(z: Z, bundle: Bundle, plan: Plan) => Promise<Json>} */
const resumeJob = async (z, bundle, plan) => {
  if (at(bundle.outputData, idOf(plan)) === undefined) return withFiles(z, bundle.outputData, plan.files); // it came at once
  let found;
  try {
    found = await call(z, bundle, plan.job.status, bundle.outputData, { timeoutMs: CALL_MS });
    found = await waited(z, bundle, plan, found, RESUME_MS);
  } catch (/** @type {any} */ error) {
    // The job has ended and was paid for: that the API cannot be asked just now must not lose it.
    const told = PASSING.includes(error.name) ? toldOf(bundle, plan) : undefined;
    if (told === undefined || !hasEnded(plan, told)) throw error;
    found = told;
  }
  if (!hasEnded(plan, found)) {
    throw failed(z, 'The job goes on; look it up by its id before you replay this run.', 'JobStillOpen');
  }
  return resultOf(z, plan, found);
};

module.exports = { performJob, resumeJob };
