'use strict';

// JSON pointers (RFC 6901). Only own members count, so that no name reaches into JavaScript.

/** @type {(pointer: Pointer) => string[]} */
const steps = (pointer) =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => step.replace(/~1/g, '/').replace(/~0/g, '~'));

/** @type {(value: Json, name: string) => Json} */
const member = (value, name) =>
  value !== null && typeof value === 'object' && Object.hasOwn(value, name) ? value[name] : undefined;

// What stands at a pointer; undefined where nothing does.
/** @type {(value: Json, pointer: Pointer) => Json} */
const at = (value, pointer) => steps(pointer).reduce(member, value);

// A copy with a value at a pointer, objects made on the way where there are none.
/** @type {(target: Json, pointer: Pointer, value: Json) => Json} */
const putAt = (target, pointer, value) => {
  const [name, ...rest] = steps(pointer);
  if (name === undefined) return value;
  const below = rest.map((step) => `/${step.replace(/~/g, '~0').replace(/\//g, '~1')}`).join('');
  return { ...target, [name]: putAt(member(target, name) ?? {}, below, value) };
};

module.exports = { at, putAt };
