'use strict';

// Where the API is, and which addresses are its own: only those are sent credentials.

/** @type {Settings} */
const settings = require('../settings.json');

const DOMAIN = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i;

/** @type {(url: string) => string | null} */
const originOf = (url) => {
  try {
    return new URL(url).origin;
  } catch {
    return null;
  }
};

// The variable counts where it is an address: when Zapier asks how credentials are sent, each variable is a placeholder.
/** @type {() => string} */
const base = () => {
  const set = process.env[settings.baseUrlVariable] ?? '';
  return /^https?:\/\//.test(set) ? set : settings.baseUrl;
};

/** @type {(bundle?: Bundle) => string} */
const baseUrl = (bundle) =>
  settings.variables.reduce(
    (url, variable) => {
      const value = String(bundle?.authData?.[variable.key] || variable.default);
      if (!DOMAIN.test(value)) throw new Error(`${variable.name} has to be a name without / or spaces.`);
      return url.replaceAll(`{${variable.name}}`, value);
    },
    base().replace(/\/+$/, ''),
  );

/** @type {(url: string, bundle: Bundle) => boolean} */
const isOwn = (url, bundle) => {
  const origin = originOf(url);
  return origin !== null && [baseUrl(bundle), ...settings.otherServers].some((one) => originOf(one) === origin);
};

module.exports = { baseUrl, isOwn, originOf };
