// Servers of the TypeScript SDK for another server to front, and for `cargo mcpfn connect`: two of 1.x, one that keeps sessions
// at /sessions and one without at /stateless, and one of 2.x, which also speaks 2026-07-28, at /second. Prints `listening on URL`, and at /asked what authorization each request had.

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

import { toNodeHandler } from '@modelcontextprotocol/node';
import * as second from '@modelcontextprotocol/server';
import * as first from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';

const asked = [];
const sessions = new Map();

function notes({ McpServer, ResourceTemplate } = first) {
  // 1.x takes members, 2.x whole schemas
  const shape = (members) => (McpServer === first.McpServer ? members : z.object(members));
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  server.registerTool('add', { description: 'Adds.', inputSchema: shape({ a: z.number(), b: z.number() }) }, ({ a, b }) => ({
    content: [{ type: 'text', text: String(a + b) }],
  }));
  server.registerTool('work', { description: 'Works in three steps.' }, async (context) => {
    // the two versions name the same things differently
    const { _meta, notify } = context.mcpReq ?? { _meta: context._meta, notify: context.sendNotification };
    for (const progress of [1, 2, 3]) {
      const params = { progressToken: _meta.progressToken, progress, total: 3, message: `step ${progress}` };
      await notify({ method: 'notifications/progress', params });
    }
    return { content: [{ type: 'resource_link', uri: 'note://1', name: 'one' }] };
  });
  server.registerTool('fail', { description: 'Fails.' }, () => {
    throw new Error('it never works');
  });
  server.registerResource('one', 'note://1', { mimeType: 'text/plain' }, (uri) => ({
    contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'the first note' }],
  }));
  const template = new ResourceTemplate('note://by/{author}', { list: undefined });
  server.registerResource('by', template, {}, (uri, { author }) => ({ contents: [{ uri: uri.href, text: `by ${author}` }] }));
  server.registerPrompt('review', { description: 'Reviews.', argsSchema: shape({ note: z.string() }) }, ({ note }) => ({
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

const modern = toNodeHandler(second.createMcpHandler(() => notes(second)));

const server = createServer((request, response) => {
  if (request.url === '/asked') {
    return response.end(JSON.stringify(asked));
  }
  asked.push(`${request.url} ${request.headers.authorization ?? 'none'}`);
  const served = { '/sessions': withSessions, '/second': modern };
  return (served[request.url] ?? stateless)(request, response);
});
server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
