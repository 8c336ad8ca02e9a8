// An authorization server on loopback: one page with a button, PKCE, tokens for one minute. Everybody who presses is let
// in.

import { createHash, createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const base64url = (value) => Buffer.from(value).toString('base64url');

function token(issuer, resource, scope) {
  const now = Math.floor(Date.now() / 1000);
  const head = base64url(JSON.stringify({ alg: 'RS256', typ: 'at+jwt', kid: 'one' }));
  const body = base64url(JSON.stringify({ iss: issuer, sub: 'ada', aud: resource, scope, client_id: 'page', iat: now, exp: now + 60 }));
  const signature = createSign('RSA-SHA256').update(`${head}.${body}`).sign(privateKey, 'base64url');
  return `${head}.${body}.${signature}`;
}

/** Starts it. `changes` are laid over its document; `seen` is what it was asked. */
export async function issuer(changes = {}) {
  const codes = new Map();
  const seen = { authorize: [], token: [], register: [] };
  const server = createServer((request, response) => answer(request, response).catch((error) => response.destroy(error)));
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${server.address().port}`;

  async function answer(request, response) {
    const { pathname, searchParams } = new URL(request.url, url);
    const json = (status, value) => {
      response.writeHead(status, { 'content-type': 'application/json', 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' });
      response.end(JSON.stringify(value));
    };
    const body = [];
    for await (const part of request) body.push(part);
    const text = Buffer.concat(body).toString();
    if (request.method === 'OPTIONS') return json(200, {});
    if (pathname === '/.well-known/oauth-authorization-server') {
      return json(200, {
        issuer: url, authorization_endpoint: `${url}/authorize`, token_endpoint: `${url}/token`, jwks_uri: `${url}/keys`,
        registration_endpoint: `${url}/register`, code_challenge_methods_supported: ['S256'], response_types_supported: ['code'],
        authorization_response_iss_parameter_supported: true, ...changes,
      });
    }
    if (pathname === '/keys') return json(200, { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' }] });
    if (pathname === '/register') {
      seen.register.push(JSON.parse(text));
      return json(201, { client_id: `registered-${seen.register.length}` });
    }
    if (pathname === '/authorize') {
      const asked = Object.fromEntries(searchParams);
      seen.authorize.push(asked);
      const back = new URL(asked.redirect_uri);
      const give = (values) => Object.entries({ ...values, state: asked.state, iss: url }).forEach(([name, value]) => back.searchParams.set(name, value));
      const code = randomUUID();
      codes.set(code, asked);
      give({ code });
      const accept = back.href;
      back.searchParams.delete('code');
      give({ error: 'access_denied', error_description: 'Ada said <b>no</b>' });
      response.writeHead(200, { 'content-type': 'text/html' });
      const link = (href, label) => `<p><a href="${href.replaceAll('&', '&amp;')}">${label}</a>`;
      return response.end(`<!doctype html><title>Issuer</title>${link(accept, 'Allow')}${link(back.href, 'Deny')}`);
    }
    if (pathname === '/token') {
      const asked = Object.fromEntries(new URLSearchParams(text));
      seen.token.push(asked);
      const granted = codes.get(asked.code);
      codes.delete(asked.code);
      const proof = createHash('sha256').update(asked.code_verifier ?? '').digest('base64url');
      const right = granted && granted.code_challenge === proof && granted.redirect_uri === asked.redirect_uri && granted.client_id === asked.client_id;
      if (!right) return json(400, { error: 'invalid_grant', error_description: 'this code is not yours' });
      return json(200, { access_token: token(url, granted.resource, granted.scope ?? ''), token_type: 'Bearer', expires_in: 60 });
    }
    response.writeHead(404).end();
  }
  return { url, seen, stop: () => server.closeAllConnections?.() ?? server.close() };
}
