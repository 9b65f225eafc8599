'use strict';

// An API that answers what a test wants, on this machine; the app is told that it is there.

const { createServer } = require('node:http');

const settings = require('../settings.json');

const startApi = async () => {
  const requests = [];
  const answers = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, url, headers } = request;
    requests.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    const { status = 200, body = {}, headers: more = {} } = answers.length > 1 ? answers.shift() : (answers[0] ?? {});
    response.writeHead(status, { 'Content-Type': 'application/json', ...more });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  process.env[settings.baseUrlVariable] = `http://127.0.0.1:${server.address().port}`;
  const answer = (...next) => {
    answers.splice(0, answers.length, ...next);
    requests.length = 0;
  };
  return { answer, requests, close: () => server.close() };
};

module.exports = { startApi };
