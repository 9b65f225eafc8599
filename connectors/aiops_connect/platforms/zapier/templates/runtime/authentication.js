'use strict';

// What is sent with each call to the API, the test of a connection, and what it is called.

const { isOwn } = require('./address');
const { sendable } = require('./errors');
const { at } = require('./pointers');
const { call } = require('./requests');
/** @type {{ definition: Definition, parts: CredentialPart[] }} */
const { definition: asked, parts } = /** @type {any} */ (require('../authentication.json'));

/** @type {(authData: Record<string, string>) => string} */
const basic = (authData) =>
  `Basic ${Buffer.from(`${authData.username ?? ''}:${authData.password ?? ''}`).toString('base64')}`;

// What people see where they enter it.
/** @type {(part: CredentialPart) => string} */
const labelOf = (part) => asked.fields?.find((/** @type {InputNode} */ one) => one.key === part.key)?.label ?? part.name;

/** @type {(z: Z, request: HttpRequest, part: CredentialPart, authData: Record<string, string>) => HttpRequest} */
const withPart = (z, request, part, authData) => {
  const value = part.in === 'basic' ? basic(authData) : `${part.prefix}${authData[part.key]}`;
  switch (part.in) {
    case 'basic':
      return { ...request, headers: { ...request.headers, Authorization: value } };
    case 'header':
      return { ...request, headers: { ...request.headers, [part.name]: sendable(z, value, labelOf(part)) } };
    case 'cookie': {
      const cookies = [request.headers?.Cookie, `${part.name}=${encodeURIComponent(value)}`];
      return { ...request, headers: { ...request.headers, Cookie: cookies.filter(Boolean).join('; ') } };
    }
    case 'query': {
      const url = new URL(request.url);
      url.searchParams.set(part.name, value);
      return { ...request, url: url.href };
    }
    default:
      throw new Error(`There is no place ${part.in} for credentials.`);
  }
};

/** @type {(part: CredentialPart, authData: Record<string, string>) => boolean} */
const isFilled = (part, authData) => part.in === 'basic' || Boolean(authData[part.key]);

// Credentials go to the API alone: not to where files are, to callbacks, or wherever a redirect leads.
/** @type {(request: HttpRequest, z: Z, bundle: Bundle) => HttpRequest} */
const authenticate = (request, z, bundle) => {
  if (request.middlewareData?.anonymous || !isOwn(request.url, bundle)) return request;
  const authData = bundle.authData ?? {};
  return parts
    .filter((part) => isFilled(part, authData))
    .reduce((changed, part) => withPart(z, changed, part, authData), request);
};

/** @type {(z: Z, plan: CodeFlow, form: Record<string, any>) => Promise<Json>} */
const token = async (z, plan, form) => {
  const response = await z.request({
    url: form.grant_type === 'refresh_token' ? plan.refreshUrl : plan.tokenUrl,
    method: 'POST',
    form: { ...form, client_id: process.env.CLIENT_ID, client_secret: process.env.CLIENT_SECRET },
    middlewareData: { anonymous: true },
  });
  const { access_token: accessToken, refresh_token: refreshToken } = response.data;
  return { access_token: accessToken, refresh_token: refreshToken ?? form.refresh_token };
};

/** @type {(plan: CodeFlow) => { getAccessToken: Perform, refreshAccessToken: Perform, [name: string]: any }} */
const oauth2 = (plan) => ({
  authorizeUrl: {
    url: plan.authorizationUrl,
    params: {
      client_id: '{{process.env.CLIENT_ID}}',
      state: '{{bundle.inputData.state}}',
      redirect_uri: '{{bundle.inputData.redirect_uri}}',
      response_type: 'code',
    },
  },
  getAccessToken: (z, bundle) =>
    token(z, plan, {
      grant_type: 'authorization_code',
      code: bundle.inputData.code,
      redirect_uri: bundle.inputData.redirect_uri,
    }),
  refreshAccessToken: (z, bundle) =>
    token(z, plan, { grant_type: 'refresh_token', refresh_token: bundle.authData.refresh_token }),
  scope: plan.scope,
  autoRefresh: true,
});

/** @type {(described: { definition: Definition, plan: Record<string, any> }) => Definition} */
const authentication = ({ definition, plan }) => {
  /** @type {(z: Z, bundle: Bundle) => Promise<Json>} */
  const test = async (z, bundle) => {
    if (!plan.check) return {};
    const answer = await call(z, bundle, plan.check, undefined, { isTest: true });
    const label = plan.label === undefined ? undefined : at(answer, plan.label);
    return label === undefined ? answer : { ...answer, connection_label: String(label) };
  };
  return {
    ...definition,
    ...(plan.oauth2 ? { oauth2Config: oauth2(plan.oauth2) } : {}),
    test,
    ...(plan.label === undefined ? {} : { connectionLabel: '{{connection_label}}' }),
  };
};

module.exports = { authenticate, authentication };
