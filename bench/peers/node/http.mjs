// The TypeScript SDK on node:http, with its own adapter and its checks of Host and Origin. The port is the argument.

import { createServer } from "node:http";
import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from "@modelcontextprotocol/node";
import { handler } from "./echo.mjs";

const hostIsLocal = localhostHostValidation();
const originIsLocal = localhostOriginValidation();
const answer = toNodeHandler(handler);

createServer(async (request, response) => {
  if (!hostIsLocal(request, response) || !originIsLocal(request, response)) return;
  await answer(request, response);
}).listen(Number(process.argv[2]), "127.0.0.1");
