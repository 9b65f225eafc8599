'use strict';

// Files of other hosts, which are sent no credentials.

const { failed, halted, unanswered, undecided } = require('./errors');

const BYTES_MAX = 100 * 1024 * 1024;
const MEGABYTES_MAX = BYTES_MAX / 1024 / 1024;
const TIMEOUT_MS = 25_000;

/** @type {(z: Z) => Error} */
const tooLarge = (z) => halted(z, `The file has more than ${MEGABYTES_MAX} MB, which Zapier cannot carry. Use its link.`);

// The answer to a link, its body still to be read.
/** @type {(z: Z, url: string) => Promise<HttpAnswer>} */
const opened = async (z, url) => {
  /** @type {{ url: string, raw: true, timeout: number, middlewareData: object }} */
  const request = { url, raw: true, timeout: TIMEOUT_MS, middlewareData: { anonymous: true, isOfFile: true } };
  /** @type {any} */
  let response;
  try {
    response = await z.request(request);
  } catch (error) {
    throw unanswered(z, error, 'The host of the file', TIMEOUT_MS / 1000, request);
  }
  const { status } = response;
  if (status === 429 || status >= 500) {
    throw failed(z, `The host of the file answers with status ${status}. Try again later.`, 'FileError', status);
  }
  if (status >= 400) throw halted(z, `The link to the file answers with status ${status}: it may have expired.`);
  if (Number(response.headers.get('content-length') ?? 0) > BYTES_MAX) throw tooLarge(z);
  return response;
};

/** @type {(url: string, response: HttpAnswer) => string} */
const nameOf = (url, response) => {
  const said = /filename\*?=(?:UTF-8'')?"?([^";]+)"?/i.exec(response.headers.get('content-disposition') ?? '')?.[1];
  const last = new URL(url).pathname.split('/').at(-1) ?? '';
  try {
    return decodeURIComponent(said ?? last) || 'file';
  } catch {
    return 'file';
  }
};

/** @type {(z: Z, response: HttpAnswer) => Promise<Buffer>} */
const read = async (z, response) => {
  const chunks = [];
  let size = 0;
  try {
    for await (const chunk of response.body) {
      size += chunk.length;
      if (size > BYTES_MAX) break;
      chunks.push(chunk);
    }
  } catch {
    throw undecided(z, response.request, 'The file came in part.', 'FileError');
  }
  if (size > BYTES_MAX) throw tooLarge(z);
  return Buffer.concat(chunks);
};

// The content of what a file field holds: a link, as Zapier gives it, or a text.
/** @type {(z: Z, value: Entry) => Promise<Content & { filename: string }>} */
const fetched = async (z, value) => {
  if (!/^https?:\/\//i.test(String(value))) {
    return { content: Buffer.from(String(value)), filename: 'file.txt', contentType: 'text/plain' };
  }
  const response = await opened(z, value);
  return {
    content: await read(z, response),
    filename: nameOf(value, response),
    contentType: response.headers.get('content-type') ?? 'application/octet-stream',
  };
};

module.exports = { fetched, nameOf, opened, read };
