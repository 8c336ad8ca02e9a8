// An issuer of access tokens for the Worker under test, also as a team's domain of Cloudflare Access: its document, its key, and at
// /token a token with the claims of the query (`alg` is none of them). Its key is slow to come, so that simultaneous calls wait for it
// at the same time. At /asked it says how often it was asked for, and a POST to /rotate takes another key in its place.

let pair;
let kid = "one";
let asked = 0;

const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const encoded = (value) => base64url(new TextEncoder().encode(JSON.stringify(value)));

async function token(issuer, changes) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, sub: "alice", aud: "https://mcp.example.com/mcp", exp: now + 3600, scope: "secrets" };
  for (const [name, value] of changes) if (name !== "alg") claims[name] = /^-?\d+$/.test(value) ? now + Number(value) : value;
  if (changes.get("alg") === "none") return `${encoded({ alg: "none" })}.${encoded(claims)}.`;
  const text = `${encoded({ alg: "ES256", kid, typ: "at+jwt" })}.${encoded(claims)}`;
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, new TextEncoder().encode(text));
  return `${text}.${base64url(signature)}`;
}

export default {
  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === "/rotate" && request.method === "POST") {
      pair = undefined;
      kid = "two";
    }
    // no request may wait for what another one does
    if (!pair) {
      const made = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
      pair ??= made;
    }
    switch (url.pathname) {
      case "/.well-known/oauth-authorization-server":
        return Response.json({ issuer: url.origin, jwks_uri: `${url.origin}/keys` });
      case "/rotate":
        return new Response(null, { status: 204 });
      case "/keys":
      case "/cdn-cgi/access/certs": {
        asked += 1;
        await scheduler.wait(500);
        const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
        return Response.json({ keys: [{ kty, crv, x, y, kid, alg: "ES256", use: "sig" }] });
      }
      case "/token":
        return Response.json(await token(url.searchParams.get("iss") ?? url.origin, url.searchParams));
      case "/asked":
        return Response.json(asked);
      default:
        return new Response(null, { status: 404 });
    }
  },
};
