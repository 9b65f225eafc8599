// Required before all else, it refuses every connection that leaves this machine.
'use strict';

const { Socket } = require('node:net');

const LOCAL = new Set(['127.0.0.1', '::1', 'localhost']);
const { connect } = Socket.prototype;

Socket.prototype.connect = function (...given) {
  const [options] = Array.isArray(given[0]) ? given[0] : given;
  const isLocal = typeof options === 'object' ? options.path !== undefined || LOCAL.has(options.host ?? 'localhost') : true;
  if (isLocal) return connect.apply(this, given);
  throw new Error(`A connection to ${options.host} leaves this machine.`);
};
