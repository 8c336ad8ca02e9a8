// A server of the TypeScript SDK, 1.x or 2.x, that keeps its events, and whose tools wait in the middle of a call until the client
// has come back for the rest. `closed` closes its stream by itself; `cut` leaves that to whoever is in between. Prints
// `listening on URL`.
//
//     node resumable.mjs 1|2

import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';

import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { McpServer as SecondMcpServer } from '@modelcontextprotocol/server';
import { McpServer as FirstMcpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport as FirstTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';

const [major] = process.argv.slice(2);
const isFirst = major === '1';
let calls = 0;
const events = [];
const returns = [];
// that of the SDK's examples orders events of one millisecond by chance
const eventStore = {
  storeEvent: async (stream, message) => String(events.push({ stream, message }) - 1),
  getStreamIdForEventId: async (id) => events[id]?.stream,
  replayEventsAfter: async (id, { send }) => {
    const { stream } = events[id];
    for (let next = Number(id) + 1; next < events.length; next += 1) {
      if (events[next].stream === stream) {
        await send(String(next), events[next].message);
      }
    }
    returns.splice(0).forEach((hear) => hear());
    return stream;
  },
};
const text = (value) => ({ content: [{ type: 'text', text: String(value) }] });
const slow = (closes) => async (context) => {
  calls += 1;
  // the two versions name the same things differently
  const { notify, token, close } = isFirst
    ? { notify: context.sendNotification, token: context._meta.progressToken, close: context.closeSSEStream }
    : { notify: context.mcpReq.notify, token: context.mcpReq._meta.progressToken, close: context.http.closeSSE };
  const report = (progress) => notify({ method: 'notifications/progress', params: { progressToken: token, progress } });
  const back = new Promise((hear) => returns.push(hear));
  await report(1);
  if (closes) {
    close();
  }
  await back;
  await report(2);
  return text('whole');
};
const server = new (isFirst ? FirstMcpServer : SecondMcpServer)({ name: 'resumable', version: '1.0.0' });
server.registerTool('closed', { description: 'Closes its stream.' }, slow(true));
server.registerTool('cut', { description: 'Has its stream cut.' }, slow(false));
server.registerTool('calls', { description: 'Counts calls.' }, async () => text(calls));

const Transport = isFirst ? FirstTransport : NodeStreamableHTTPServerTransport;
const transport = new Transport({ sessionIdGenerator: randomUUID, eventStore, retryInterval: 100 });
await server.connect(transport);
const http = createServer((request, response) => transport.handleRequest(request, response));
http.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${http.address().port}/mcp`));
