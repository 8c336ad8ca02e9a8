// An issuer of access tokens for the Worker under test, also as a team's domain of Cloudflare Access: its document, its keys (one of each
// kind), and at /token a token with the claims of the query, signed as its `alg` says. Its keys are slow to come, so that simultaneous
// calls wait for them at the same time. At /asked it says how often it was asked for, and a POST to /rotate takes others in their place.

const KINDS = {
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
  EdDSA: { name: "Ed25519" },
};
let pairs;
let round = "one";
let asked = 0;

const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const encoded = (value) => base64url(new TextEncoder().encode(JSON.stringify(value)));

async function token(issuer, changes) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, sub: "alice", aud: "https://mcp.example.com/mcp", exp: now + 3600, scope: "secrets" };
  for (const [name, value] of changes) if (name !== "alg") claims[name] = /^-?\d+$/.test(value) ? now + Number(value) : value;
  if (changes.get("alg") === "none") return `${encoded({ alg: "none" })}.${encoded(claims)}.`;
  const alg = changes.get("alg") ?? "ES256";
  const text = `${encoded({ alg, kid: `${round}-${alg}`, typ: "at+jwt" })}.${encoded(claims)}`;
  const signature = await crypto.subtle.sign(KINDS[alg], pairs[alg].privateKey, new TextEncoder().encode(text));
  return `${text}.${base64url(signature)}`;
}

export default {
  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === "/rotate" && request.method === "POST") {
      pairs = undefined;
      round = "two";
    }
    // no request may wait for what another one does
    if (!pairs) {
      const made = {};
      for (const [alg, kind] of Object.entries(KINDS)) made[alg] = await crypto.subtle.generateKey(kind, true, ["sign", "verify"]);
      pairs ??= made;
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
        // beside the real ones, one that is no point of its curve: it is left out, the others serve
        const keys = [{ kty: "EC", crv: "P-256", x: "A".repeat(43), y: "A".repeat(43), kid: "broken", alg: "ES256", use: "sig" }];
        for (const [alg, pair] of Object.entries(pairs)) {
          const { kty, crv, x, y, n, e } = await crypto.subtle.exportKey("jwk", pair.publicKey);
          keys.push({ kty, crv, x, y, n, e, kid: `${round}-${alg}`, alg, use: "sig" });
        }
        return Response.json({ keys });
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
