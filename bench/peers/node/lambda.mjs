// The TypeScript SDK as a function of Lambda behind a streaming handler, as for a function URL with RESPONSE_STREAM. An event
// is made a Request, and the Response goes out as it comes. It runs under AWS's own runtime client, which brings `awslambda`.

import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { handler as answer } from "./echo.mjs";

export const handler = awslambda.streamifyResponse(async (event, out) => {
  const { domainName, http } = event.requestContext;
  const body = event.body && Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8");
  const request = new Request(`https://${domainName}${event.rawPath}`, { method: http.method, headers: event.headers, body });
  const response = await answer.fetch(request);
  const stream = awslambda.HttpResponseStream.from(out, { statusCode: response.status, headers: Object.fromEntries(response.headers) });
  if (response.body) await pipeline(Readable.fromWeb(response.body), stream);
  else stream.end();
});
