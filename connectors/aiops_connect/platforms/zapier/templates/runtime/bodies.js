'use strict';

// Bodies. They are bytes when they reach the platform: it would look for expressions in text and objects, which is
// what people write into a prompt if they like. Forms are text, since it would take their bytes for an object; what
// would be an expression is encoded in them.

const { form, text } = require('./styles');

/** @type {(content: any, contentType: string) => Content} */
const bytes = (content, contentType) => ({ content: Buffer.from(content), contentType });

/** @type {(body: BodyForm, values: InputValue[]) => Content | undefined} */
const whole = (body, [first]) => {
  if (first === undefined) return undefined;
  if (Buffer.isBuffer(first.value?.content)) {
    const isFixed = body.format === 'bytes' && !body.mediaType.includes('*');
    return bytes(first.value.content, isFixed ? body.mediaType : first.value.contentType);
  }
  if (body.format === 'json') return bytes(JSON.stringify(first.value), body.mediaType);
  return bytes(text(first.value), body.mediaType.includes('*') ? 'application/octet-stream' : body.mediaType);
};

/** @type {(values: InputValue[]) => Promise<Content>} */
const multipart = async (values) => {
  const data = new FormData();
  for (const { node, value } of values) {
    const isJson = node.contentType?.includes('json');
    for (const one of isJson ? [value] : [value].flat()) {
      if (Buffer.isBuffer(one?.content)) {
        data.append(node.name, new Blob([one.content], { type: one.contentType }), one.filename);
      } else if (isJson) {
        data.append(node.name, new Blob([JSON.stringify(one)], { type: node.contentType }));
      } else {
        data.append(node.name, text(one));
      }
    }
  }
  const encoded = new Response(data);
  return bytes(Buffer.from(await encoded.arrayBuffer()), String(encoded.headers.get('content-type')));
};

// Undefined where nothing is to be sent.
/** @type {(body: BodyForm, values: InputValue[]) => Promise<Content | undefined>} */
const bodyOf = async (body, values) => {
  if (values.length === 0 && !body.required) return undefined;
  if (body.whole || body.format === 'bytes' || body.format === 'text') return whole(body, values);
  switch (body.format) {
    case 'form':
      return { content: form(values), contentType: body.mediaType };
    case 'multipart':
      return multipart(values);
    default:
      return bytes(JSON.stringify(Object.fromEntries(values.map(({ node, value }) => [node.name, value]))), body.mediaType);
  }
};

module.exports = { bodyOf };
