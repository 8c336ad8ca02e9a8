// Credentials: a key or token that somebody writes, or OAuth 2.1 with PKCE.
const PENDING = 'mcp-sign-in';
const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

async function fetchDocument(url, init) {
  const response = await fetch(url, init).catch(() => {
    throw new Refusal(`${new URL(url).origin} did not answer this page. It must allow this page's origin (CORS); if it ` +
      'is no issuer of this server, the operator lists it in MCPFN_PAGE_ORIGINS.');
  });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new Refusal(`${new URL(url).origin} refused: ${body.error_description ?? body.error ?? `HTTP ${response.status}`}`);
  }
  return body;
}

/** What RFC 9728 says of this server, or `undefined` where there is no OAuth. */
async function protectedResource(challenge) {
  if (!challenge?.resource_metadata) return undefined;
  const url = new URL(challenge.resource_metadata);
  if (url.origin !== location.origin) {
    throw new Refusal(`This server is signed in to at ${url.origin}: open the page there.`);
  }
  return fetchDocument(url);
}

/** The issuer's document (RFC 8414, OpenID Connect Discovery). */
async function issuerDocument(issuer) {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const places = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
  let found;
  let failed;
  for (const place of new Set(places)) {
    found ??= await fetchDocument(place).catch((error) => { failed ??= error; });
  }
  if (!found) throw failed;
  if (found.issuer !== issuer) throw new Refusal(`The document of ${issuer} is of another issuer.`);
  if (!found.code_challenge_methods_supported?.includes('S256')) {
    throw new Refusal(`${issuer} does not say that it knows PKCE with S256, without which no sign-in is safe.`);
  }
  return found;
}

async function clientId(found, redirect) {
  if (DATA.clientId) return DATA.clientId;
  if (!found.registration_endpoint) {
    throw new Refusal(`${found.issuer} registers no clients by itself: register this page there with the redirect ` +
      `URI ${redirect}, and set MCPFN_PAGE_CLIENT_ID to the client's id.`);
  }
  const client = await fetchDocument(found.registration_endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: json({
      client_name: 'MCP browser page', redirect_uris: [redirect], token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code'], response_types: ['code'],
    }),
  });
  return client.client_id;
}

/** Leaves for the issuer's page. */
async function signIn(issuer, resource, scope) {
  const found = await issuerDocument(issuer);
  const redirect = ENDPOINT;
  const pending = {
    state: random(), verifier: random(), client: await clientId(found, redirect), redirect, issuer,
    token: found.token_endpoint, resource: resource.resource, hash: location.hash,
    namesItself: found.authorization_response_iss_parameter_supported === true,
  };
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(pending.verifier));
  const url = new URL(found.authorization_endpoint);
  if (url.protocol !== 'https:' && !/^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|\/|$)/.test(url.href)) {
    throw new Refusal(`The sign-in page of ${issuer} is not https.`);
  }
  const query = {
    response_type: 'code', client_id: pending.client, redirect_uri: redirect, state: pending.state,
    code_challenge: base64url(digest), code_challenge_method: 'S256', resource: pending.resource,
    ...(scope && { scope }),
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  sessionStorage.setItem(PENDING, json(pending));
  location.assign(url);
}

/** Comes back from it: `true` once there is a token. */
async function signedIn() {
  const query = new URLSearchParams(location.search);
  if (!query.has('state') || !(query.has('code') || query.has('error'))) return false;
  const pending = JSON.parse(sessionStorage.getItem(PENDING) ?? 'null');
  sessionStorage.removeItem(PENDING);
  history.replaceState(undefined, '', location.pathname + (pending?.hash ?? ''));
  if (pending?.state !== query.get('state')) {
    throw new Refusal('This answer belongs to no sign-in of this tab: sign in again.');
  }
  if ((query.get('iss') ?? (pending.namesItself ? '' : pending.issuer)) !== pending.issuer) {
    throw new Refusal(`This answer is of another issuer than ${pending.issuer}: sign in again.`);
  }
  if (query.has('error')) {
    throw new Refusal(`The sign-in was refused: ${query.get('error_description') ?? query.get('error')}`);
  }
  const body = new URLSearchParams({
    grant_type: 'authorization_code', code: query.get('code'), code_verifier: pending.verifier,
    client_id: pending.client, redirect_uri: pending.redirect, resource: pending.resource,
  });
  const token = await fetchDocument(pending.token, { method: 'POST', body });
  if (!token.access_token) throw new Refusal(`${pending.issuer} gave no access token.`);
  credential = token.access_token;
  return true;
}
