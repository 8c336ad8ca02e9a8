// Requests a second over 32 connections that are kept open. Prints one table line per service and method. Arguments: NAME=PORT ...,
// where every service has the tool `greet`.

import { connect } from 'node:net';

const CONNECTIONS = 32;
const SECONDS = 4;
const ROUNDS = 3;

function request(method, params) {
  const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } });
  const name = params.name ? `mcp-name: ${params.name}\r\n` : '';
  return Buffer.from(`POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\nmcp-protocol-version: 2026-07-28\r\nmcp-method: ${method}\r\n${name}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

const METHODS = {
  'tools/list': { bytes: request('tools/list', {}), expected: '"greet"' },
  'tools/call': { bytes: request('tools/call', { name: 'greet', arguments: { name: 'Alice' } }), expected: 'Hello, Alice!' },
};

/** Sends one request after the other over one connection until the time is over; gives how many were answered. */
function ask(port, { bytes, expected }, until) {
  return new Promise((done, fail) => {
    let answered = 0;
    let received = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setNoDelay(true);
    socket.on('error', fail);
    socket.on('close', () => fail(new Error(`the connection ended after ${answered} answers: ${received}`)));
    socket.on('data', (data) => {
      received += data.toString('latin1');
      const length = whole(received);
      if (length === undefined) return;
      if (!received.startsWith('HTTP/1.1 200') || !received.includes(expected)) {
        fail(new Error(`not the answer: ${received}`));
        return;
      }
      received = received.slice(length);
      answered += 1;
      if (performance.now() < until) {
        socket.write(bytes);
      } else {
        socket.removeAllListeners('close');
        socket.destroy();
        done(answered);
      }
    });
  });
}

/** How long the first response is, once it is all there. */
function whole(text) {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return undefined;
  const length = /content-length: (\d+)/i.exec(text.slice(0, head));
  if (length) {
    const end = head + 4 + Number(length[1]);
    return text.length >= end ? end : undefined;
  }
  const end = text.indexOf('0\r\n\r\n', head);
  return end < 0 ? undefined : end + 5;
}

async function rate(port, method, seconds) {
  const start = performance.now();
  const asked = await Promise.all(Array.from({ length: CONNECTIONS }, () => ask(port, method, start + seconds * 1000)));
  return asked.reduce((sum, answered) => sum + answered, 0) / ((performance.now() - start) / 1000);
}

const services = process.argv.slice(2).map((pair) => pair.split('='));
console.log(`| requests a second | ${services.map(([name]) => name).join(' | ')} |`);
console.log(`|---|${services.map(() => '---').join('|')}|`);
for (const [name, method] of Object.entries(METHODS)) {
  const rates = services.map(() => []);
  for (const [, port] of services) await rate(port, method, 1);
  // in turns, so that whatever else the machine does meets each alike
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [position, [, port]] of services.entries()) rates[position].push(await rate(port, method, SECONDS));
  }
  const median = (all) => Math.round(all.sort((a, b) => a - b)[Math.floor(all.length / 2)]);
  console.log(`| ${name} | ${rates.map(median).join(' | ')} |`);
}
