// The TypeScript SDK's stateless handler with the tool of `hello`: what requests a second are compared with.

import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'hello', version: '1.0.0' });
  server.registerTool('greet', { description: 'Says hello.', inputSchema: z.object({ name: z.string().describe('Whom to greet.') }), annotations: { readOnlyHint: true } }, async ({ name }) => ({
    content: [{ type: 'text', text: `Hello, ${name}!` }],
  }));
  return server;
});

export default { fetch: (request) => handler.fetch(request) };
