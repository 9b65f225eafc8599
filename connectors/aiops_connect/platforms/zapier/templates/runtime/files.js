'use strict';

// Files in answers: the link, and beside it the file, which Zapier fetches only when a later step wants it.

/** @type {Record<string, string>} */
const mime = require('./media_types.json');
const { nameOf, opened, read } = require('./downloads');
const { halted } = require('./errors');
const { at, putAt } = require('./pointers');
const { call, requestOf, send } = require('./requests');

const LINK_LENGTH_MAX = 8000;

/** @type {(name: string, contentType: string | null) => string} */
const named = (name, contentType) => {
  const extension = mime[(contentType ?? '').split(';')[0].trim().toLowerCase()];
  return /\.[a-z0-9]{1,5}$/i.test(name) || extension === undefined ? name : `${name}.${extension}`;
};

/** @type {(z: Z, url: string, response: HttpAnswer, name?: string) => Promise<string>} */
const stash = async (z, url, response, name) => {
  const contentType = response.headers.get('content-type') ?? 'application/octet-stream';
  const content = await read(z, response);
  return z.stashFile(content, content.length, named(name ?? nameOf(url, response), contentType), contentType);
};

// A link that has expired is made anew by asking for what it stood in.
/** @type {(z: Z, bundle: Bundle) => Promise<string>} */
const downloadFile = async (z, bundle) => {
  const { url, source, pointer } = bundle.inputData;
  let fresh = url;
  if (source) {
    const answer = await call(z, bundle, { operation: source.operation, inputs: source.inputs });
    fresh = at(answer, pointer);
  }
  if (typeof fresh !== 'string') throw halted(z, 'There is no file any more.');
  return stash(z, fresh, await opened(z, fresh));
};

// A file that is the answer itself: the call is made again.
/** @type {(z: Z, bundle: Bundle) => Promise<string>} */
const downloadAnswer = async (z, bundle) => {
  const { described, values } = bundle.inputData;
  const request = await requestOf(z, bundle, described, values);
  return stash(z, request.url, await send(z, bundle, request, described));
};

// Adds the file beside each link. `source` is the call that makes its answer anew, where there is one.
/** @type {(z: Z, answer: Json, files?: FileOutput[], sourceOf?: (file: FileOutput) => object | undefined) => Json} */
const withFiles = (z, answer, files = [], sourceOf = () => undefined) =>
  files.reduce((made, file) => {
    const url = at(answer, file.pointer);
    if (typeof url !== 'string' || !/^https?:\/\//.test(url) || url.length > LINK_LENGTH_MAX) return made;
    const above = file.pointer.slice(0, file.pointer.lastIndexOf('/'));
    const inputData = { url, ...sourceOf(file) };
    return putAt(made, `${above}/${file.key}`, z.dehydrateFile(hydrators.downloadFile, inputData));
  }, answer);

const hydrators = { downloadFile, downloadAnswer };

module.exports = { hydrators, stash, withFiles };
