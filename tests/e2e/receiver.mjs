// A receiver of events over TLS, on this machine: the AI SDK's handler of webhooks, behind a certificate that it signed itself. It
// keeps what it was sent, and what it answered. Node makes no certificates: node-forge does, which the package of bundles brings along.

import { createServer } from 'node:https';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { experimental_createMCPEventWebhook as createWebhook } from '@ai-sdk/mcp';
import forge from 'node-forge';

/** How long is waited for something to arrive, in milliseconds. */
const PATIENCE = 60_000;

/** A key and a certificate for localhost, as PEM and as DER. */
function signed() {
  const keys = forge.pki.rsa.generateKeyPair(2048);
  const made = forge.pki.createCertificate();
  made.publicKey = keys.publicKey;
  made.serialNumber = '01';
  made.validity.notBefore = new Date(Date.now() - 86_400_000);
  made.validity.notAfter = new Date(Date.now() + 86_400_000);
  const name = [{ name: 'commonName', value: 'localhost' }];
  made.setSubject(name);
  made.setIssuer(name);
  made.setExtensions([{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }]);
  made.sign(keys.privateKey, forge.md.sha256.create());
  const der = forge.asn1.toDer(forge.pki.certificateToAsn1(made)).getBytes();
  return { key: forge.pki.privateKeyToPem(keys.privateKey), cert: forge.pki.certificateToPem(made), der: Buffer.from(der, 'binary') };
}

/** Where the AI SDK keeps its subscriptions, for one client. */
function memory() {
  const kept = new Map();
  return {
    kept,
    get: async (key) => kept.get(key),
    getById: async (id) => [...kept.values()].find((subscription) => subscription.id === id),
    set: async (subscription) => void kept.set(subscription.key, subscription),
    update: async (key, patch) => void kept.set(key, { ...kept.get(key), ...patch }),
    delete: async (key) => void kept.delete(key),
  };
}

export async function startReceiver() {
  const { key, cert, der } = signed();
  const folder = mkdtempSync(join(tmpdir(), 'mcpfn-receiver-'));
  const root = join(folder, 'root.der');
  writeFileSync(root, der);
  const store = memory();
  const [got, waiting] = [[], new Set()];
  // texts that it can't take the first time, and what it took
  const [busy, accepted] = [new Set(), new Set()];
  const handle = createWebhook({
    store,
    onEvent: async ({ subscription, event }) => {
      if (busy.delete(event.data.text)) throw new Error('not now');
      accepted.add(`${subscription.id} ${event.eventId}`);
    },
  });
  const server = createServer({ key, cert }, async (request, response) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const body = Buffer.concat(pieces);
    const { method, headers, url } = request;
    const answer = await handle(new Request(`https://${headers.host}${url}`, { method, headers, body }));
    const said = JSON.parse(body.toString());
    const subscription = headers['x-mcp-subscription-id'];
    const taken = accepted.has(`${subscription} ${said.eventId}`);
    got.push({ body: said, status: answer.status, id: headers['webhook-id'], subscription, taken });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
    for (const look of waiting) look();
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));

  /** The first request that is one of these, whether it came or is to come. */
  const wait = (wanted, what) =>
    new Promise((found, failed) => {
      const seen = () => JSON.stringify(got);
      const late = setTimeout(() => failed(new Error(`${what} did not arrive, but: ${seen()}`)), PATIENCE);
      const look = () => {
        const one = got.find(wanted);
        if (one) {
          waiting.delete(look);
          clearTimeout(late);
          found(one);
        }
      };
      waiting.add(look);
      look();
    });
  const stop = () => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  };
  return { host: `localhost:${server.address().port}`, port: server.address().port, root, store, busy, got, wait, stop };
}
