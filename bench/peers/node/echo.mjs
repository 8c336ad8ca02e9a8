// The echo for the TypeScript SDK, by its stateless handler: a server of its own for every request, JSON unless a call
// reports something. What the SDK's serving guide recommends.

import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";

const inputSchema = z.object({ text: z.string().describe("What to say again.") });

export const handler = createMcpHandler(() => {
  const server = new McpServer({ name: "echo", version: "1.0.0" });
  server.registerTool(
    "echo",
    { description: "Says it again.", inputSchema, annotations: { readOnlyHint: true } },
    async ({ text }) => ({ content: [{ type: "text", text }] }),
  );
  return server;
});
