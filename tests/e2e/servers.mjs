// Two servers of the TypeScript SDK 1.x for another server to front: one that keeps sessions at /sessions, one without at
// /stateless. Prints `listening on URL`, and at /asked what authorization each request had.

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';

const asked = [];
const sessions = new Map();

function notes() {
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  server.registerTool('add', { description: 'Adds.', inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) => ({
    content: [{ type: 'text', text: String(a + b) }],
  }));
  server.registerTool('work', { description: 'Works in three steps.', inputSchema: {} }, async (_, { _meta, sendNotification }) => {
    for (const progress of [1, 2, 3]) {
      const params = { progressToken: _meta.progressToken, progress, total: 3, message: `step ${progress}` };
      await sendNotification({ method: 'notifications/progress', params });
    }
    return { content: [{ type: 'resource_link', uri: 'note://1', name: 'one' }] };
  });
  server.registerTool('fail', { description: 'Fails.', inputSchema: {} }, () => {
    throw new Error('it never works');
  });
  server.registerResource('one', 'note://1', { mimeType: 'text/plain' }, (uri) => ({
    contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'the first note' }],
  }));
  const template = new ResourceTemplate('note://by/{author}', { list: undefined });
  server.registerResource('by', template, {}, (uri, { author }) => ({ contents: [{ uri: uri.href, text: `by ${author}` }] }));
  server.registerPrompt('review', { description: 'Reviews.', argsSchema: { note: z.string() } }, ({ note }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Review ${note}` } }],
  }));
  return server;
}

async function withSessions(request, response) {
  const known = sessions.get(request.headers['mcp-session-id']);
  if (known) {
    return known.handleRequest(request, response);
  }
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => sessions.set(id, transport),
  });
  await notes().connect(transport);
  return transport.handleRequest(request, response);
}

async function stateless(request, response) {
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
  await notes().connect(transport);
  return transport.handleRequest(request, response);
}

const server = createServer((request, response) => {
  if (request.url === '/asked') {
    return response.end(JSON.stringify(asked));
  }
  asked.push(`${request.url} ${request.headers.authorization ?? 'none'}`);
  return request.url === '/sessions' ? withSessions(request, response) : stateless(request, response);
});
server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
