'use strict';

// The rules of the runtime part.

const assert = require('node:assert/strict');
const { it, mock } = require('node:test');

const { secondsUntil } = require('../runtime/errors');
const { withFiles } = require('../runtime/files');
const { entered, keyOf } = require('../runtime/idempotency');
const { performJob } = require('../runtime/jobs');
const { at, putAt } = require('../runtime/pointers');
const { requestOf, send } = require('../runtime/requests');
const { headers, path, query } = require('../runtime/styles');
const { valuesOf } = require('../runtime/values');

const z = { errors: { HaltedError: Error } };
const values = async (nodes, inputData) =>
  Object.fromEntries((await valuesOf(z, { inputData }, nodes)).map(({ node, value }) => [node.name, value]));
const one = (type, more = {}) => [{ name: 'a', key: 'a', label: 'A', in: 'body', type, ...more }];

it('leaves out what is empty, and keeps false and 0', async () => {
  for (const empty of ['', '  ', null, undefined, [], {}, [''], [null]]) {
    assert.deepEqual(await values(one('text'), { a: empty }), {});
  }
  assert.deepEqual(await values(one('boolean'), { a: false }), { a: false });
  assert.deepEqual(await values(one('integer'), { a: 0 }), { a: 0 });
});

it('makes values of the right kind', async () => {
  assert.deepEqual(await values(one('integer'), { a: ' 7 ' }), { a: 7 });
  assert.deepEqual(await values(one('boolean'), { a: 'no' }), { a: false });
  assert.deepEqual(await values(one('json'), { a: '{"__proto__": 1}' }), { a: JSON.parse('{"__proto__": 1}') });
  assert.deepEqual(await values(one('date'), { a: '2026-01-05T10:15:00Z' }), { a: '2026-01-05' });
  assert.deepEqual(await values(one('list', { item: { type: 'integer' } }), { a: ['1', '', '2'] }), { a: [1, 2] });
  assert.deepEqual(await values(one('one-or-list', { item: { type: 'text' } }), { a: ['x'] }), { a: 'x' });
  const union = one('union', { variants: [{ type: 'integer' }, { type: 'text' }] });
  assert.deepEqual(await values(union, { a: '7' }), { a: 7 });
  assert.deepEqual(await values(union, { a: 'seven' }), { a: 'seven' });
});

it('names the field that cannot be right', async () => {
  const wrong = [
    [one('integer'), { a: '7.5' }, 'A has to be a whole number.'],
    [one('number', { minimum: 1 }), { a: 0 }, 'A has to be at least 1.'],
    [one('number', { maximum: 1 }), { a: 2 }, 'A can be at most 1.'],
    [one('text', { lengthMax: 2 }), { a: 'éèê' }, 'A can have at most 2 characters, and has 3.'],
    [one('boolean'), { a: 'perhaps' }, 'A has to be yes or no.'],
    [one('json'), { a: '{' }, 'A has to be JSON.'],
    [one('date-time'), { a: 'soon' }, 'A has to be a date.'],
    [one('text', { required: true }), {}, 'A is needed.'],
  ];
  for (const [nodes, inputData, message] of wrong) await assert.rejects(values(nodes, inputData), { message });
});

it('asks for the members of an optional group only where one of them is set', async () => {
  const fields = [...one('text', { required: true }), { name: 'b', key: 'b', label: 'B', type: 'text' }];
  const group = [{ name: 'g', in: 'body', type: 'group', fields }];
  assert.deepEqual(await values(group, {}), {});
  assert.deepEqual(await values(group, { a: 'x' }), { g: { a: 'x' } });
  await assert.rejects(values(group, { b: 'x' }), { message: 'A is needed.' });
});

it('writes values as OpenAPI says', () => {
  const set = (name, value, more) => [{ node: { name, ...more }, value }];
  assert.equal(path('/a/{id}', set('id', '../x y?#', { in: 'path', style: 'simple' })), '/a/..%2Fx%20y%3F%23');
  assert.equal(path('/a{id}', set('id', [1, 2], { in: 'path', style: 'label', explode: true })), '/a.1.2');
  assert.equal(path('/a{id}', set('id', 5, { in: 'path', style: 'matrix' })), '/a;id=5');
  assert.equal(path('/{id}', set('id', '$&', { in: 'path', style: 'simple' })), '/%24%26');
  assert.equal(query(set('a', [1, 2], { in: 'query', style: 'form', explode: true })), '?a=1&a=2');
  assert.equal(query(set('a', [1, 2], { in: 'query', style: 'form', explode: false })), '?a=1,2');
  assert.equal(query(set('a', [1, 2], { in: 'query', style: 'pipeDelimited', explode: false })), '?a=1%7C2');
  assert.equal(query(set('a', { b: 1 }, { in: 'query', style: 'deepObject' })), '?a[b]=1');
  assert.equal(query(set('a', { b: 1 }, { in: 'query', contentType: 'application/json' })), '?a=%7B%22b%22%3A1%7D');
  assert.deepEqual(headers(set('X-A', ['b', 'c'], { in: 'header', style: 'simple' })), { 'X-A': 'b,c' });
});

it('lets no value lead to another path', async () => {
  const asked = (path, value, style = 'simple') =>
    requestOf(z, { authData: {} }, { method: 'DELETE', path, answer: 'json' }, [{ node: { name: 'id', in: 'path', style }, value }]);
  const refused = [
    ['/a/{id}', '..'],
    ['/a/{id}?b=1', '..'],
    ['/a/{id}#b', '.'],
    ['/a/%2E{id}', '.'],
    ['/a/.{id}/b', '.'],
    ['/a/{id}', '.', 'label'],
    ['/a/{id}', ''],
    ['/a/{id}/b', []],
  ];
  for (const [path, value, style] of refused) {
    await assert.rejects(asked(path, value, style), { message: 'An id cannot be empty, "." or "..". Enter another.' });
  }
  for (const [path, value, sent] of [['/a/{id}', '..b', '/a/..b'], ['/a/{id}?b=..', 'c', '/a/c?b=..'], ['/a/./{id}', 'c', '/a/./c']]) {
    assert.ok((await asked(path, value)).url.endsWith(sent));
  }
});

it('names what a header cannot carry before anything is sent', async () => {
  const asked = (value) =>
    requestOf(z, { authData: {} }, { method: 'GET', path: '/a', answer: 'json' }, [
      { node: { name: 'X-Title', label: 'Title', in: 'header', style: 'simple' }, value },
    ]);
  assert.equal((await asked('Café')).headers['X-Title'], 'Café');
  for (const value of ['Łódź', '😀', 'a\nb']) {
    await assert.rejects(asked(value), { message: 'Title has a character that cannot be sent, such as "…". Enter it anew.' });
  }
});

it('reads when to try again from seconds and dates', () => {
  const now = Date.parse('2026-01-05T10:15:00Z');
  assert.equal(secondsUntil('17', now), 17);
  assert.equal(secondsUntil('Mon, 05 Jan 2026 10:15:20 GMT', now), 20);
  assert.equal(secondsUntil('Mon, 05 Jan 2026 10:14:20 GMT', now), 1);
  assert.equal(secondsUntil('999999', now), 3600);
  assert.equal(secondsUntil('soon', now), undefined);
  assert.equal(secondsUntil(null, now), undefined);
});

it('knows a repeat of a run from another run of the same input', () => {
  const run = { step: 's', values: [{ node: { name: 'a' }, value: { x: 1, y: 2 } }], callbackUrl: 'https://hooks.invalid/1' };
  const turned = [{ node: { name: 'a' }, value: { y: 2, x: 1 } }];
  assert.equal(keyOf(run), keyOf({ ...run, values: turned }));
  assert.notEqual(keyOf(run), keyOf({ ...run, callbackUrl: 'https://hooks.invalid/2' }));
  assert.notEqual(keyOf(run), keyOf({ ...run, step: 't' }));
  const editor = { step: 's', values: run.values, isEditor: true };
  assert.equal(keyOf({ ...editor, now: 60_000 }), keyOf({ ...editor, now: 119_999 }));
  assert.notEqual(keyOf({ ...editor, now: 60_000 }), keyOf({ ...editor, now: 120_000 }));
  assert.equal(keyOf({ step: 's', values: run.values }), undefined);
});

it('makes a key of its own for each step out of what the person entered', () => {
  const key = (step, text, callbackUrl = 'https://hooks.invalid/1') =>
    keyOf({ entered: entered({ inputData: { deduplication_key: text } }), step, values: [], callbackUrl });
  assert.equal(key('s', 'row-42'), key('s', ' row-42 ', 'https://hooks.invalid/2'));
  assert.equal(key('s', 42), key('s', '42'));
  assert.notEqual(key('s', 'row-42'), key('t', 'row-42'));
  assert.notEqual(key('s', 'row-42'), key('s', 'row-43'));
  assert.notEqual(key('s', { id: 1 }), key('s', { id: 2 }));
  const tried = (value, isEditor = true) => keyOf({ entered: 'row-42', step: 's', values: [{ node: { name: 'a' }, value }], isEditor });
  assert.equal(tried('x'), tried('x'));
  assert.notEqual(tried('x'), tried('y'));
  assert.notEqual(tried('x'), tried('x', false));
  assert.equal(tried('x', false), tried('y', false));
  for (const text of ['Order – 42', 'x'.repeat(5000), 'a\r\nb']) assert.match(key('s', text), /^[0-9a-f]{64}$/);
  for (const empty of ['', '  ', null, undefined, []]) assert.equal(key('s', empty), key('s', undefined));
});

it('shows what there is where a job goes on for longer than the editor waits, and loses none in a run', async () => {
  let clock = 0;
  mock.method(Date, 'now', () => (clock += 30_000));
  const call = { method: 'POST', path: '/', inputs: [], own: {}, answer: 'json' };
  const job = { acceptedStatus: '202', start: {}, status: { inputs: { id: { from: '/id' } } }, state: '/state' };
  const ends = { succeeded: ['done'], failed: [], cancelled: [], outputs: [{ name: 'link', pointer: '/link' }] };
  const plan = { call, job: { ...job, ...ends } };
  const response = { status: 202, headers: new Headers(), content: '{"id":"1","state":"open"}' };
  const editor = { request: async () => response, generateCallbackUrl: () => assert.fail('It would wait for ever.'), errors: {} };
  try {
    const shown = await performJob(editor, { meta: { isLoadingSample: true }, inputData: {} }, plan, { key: 's', operation: {} });
    assert.deepEqual(shown, { link: null });
    const run = { ...editor, errors: { HaltedError: Error } };
    const message = 'The job 1 has not ended so far. Look it up by its id before you replay this run.';
    await assert.rejects(performJob(run, { inputData: {} }, plan, { key: 's', operation: {} }), { message });
  } finally {
    mock.restoreAll();
  }
});

it('leaves the file of a link away that is longer than Zapier carries', () => {
  const files = [{ pointer: '/url', key: 'file' }];
  const carrier = { dehydrateFile: (method, { url }) => `file of ${url.length}` };
  const short = `https://files.invalid/${'a'.repeat(100)}`;
  assert.deepEqual(withFiles(carrier, { url: short }, files), { url: short, file: `file of ${short.length}` });
  const long = `https://files.invalid/${'a'.repeat(9000)}`;
  assert.deepEqual(withFiles(carrier, { url: long }, files), { url: long });
  assert.deepEqual(withFiles(carrier, { url: 'javascript:alert(1)' }, files), { url: 'javascript:alert(1)' });
});

it('follows pointers to own members only', () => {
  assert.equal(at({ a: [{ 'b/c': 1 }] }, '/a/0/b~1c'), 1);
  assert.equal(at({}, '/__proto__'), undefined);
  assert.equal(at({}, '/constructor/name'), undefined);
  assert.deepEqual(putAt({ a: { b: 1 } }, '/a/c', 2), { a: { b: 1, c: 2 } });
});

it('says in a sentence that the server does not answer', async () => {
  const raised = Object.assign(new Error('network timeout at: https://api.invalid/'), { name: 'FetchError' });
  const silent = { request: () => Promise.reject(raised), errors: { Error, HaltedError: Error } };
  const said = async (method, options) => {
    const failing = send(silent, {}, { url: 'https://api.invalid/', method, headers: {} }, {}, options);
    return failing.then(assert.fail, ({ message }) => message.replace('The server did not answer within 25 seconds. ', ''));
  };
  assert.equal(await said('GET'), 'Try again later.');
  assert.equal(await said('POST', { isRepeatable: true }), 'It may still have done the work; a replay does not repeat it.');
  assert.equal(await said('POST'), 'It may still have done the work; look before you replay the run.');
});
