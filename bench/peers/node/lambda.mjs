// The TypeScript SDK as a function with response streaming. AWS's own runtime client for Node (aws-lambda-ric on npm) builds
// C++ against downloaded sources when it is installed, so this loop takes its place: events from the Runtime API over one
// connection, answers streamed back. Anything that a real client does besides would make this slower, not faster.

import { Agent, request } from "node:http";
import { handler } from "./echo.mjs";

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new Agent({ keepAlive: true });
const invocation = "/2018-06-01/runtime/invocation";

for (;;) {
  const { headers, body } = await ask("GET", `${invocation}/next`);
  const event = JSON.parse(body);
  const text = event.isBase64Encoded ? Buffer.from(event.body, "base64") : event.body;
  const url = `https://${event.requestContext.domainName}${event.rawPath}`;
  const answer = await handler.fetch(new Request(url, { method: event.requestContext.http.method, headers: event.headers, body: text }));
  await stream(`${invocation}/${headers["lambda-runtime-aws-request-id"]}/response`, answer);
}

function ask(method, path) {
  return new Promise((resolve, reject) => {
    const asked = request({ agent, hostname, port, path, method }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }));
    });
    asked.on("error", reject).end();
  });
}

// The prelude, eight zero bytes, then the body: what the Runtime API's streaming mode takes.
function stream(path, answer) {
  return new Promise((resolve, reject) => {
    const headers = {
      "Content-Type": "application/vnd.awslambda.http-integration-response",
      "Lambda-Runtime-Function-Response-Mode": "streaming",
      "Transfer-Encoding": "chunked",
    };
    const sent = request({ agent, hostname, port, path, method: "POST", headers }, (response) => {
      response.resume().on("end", resolve);
    });
    sent.on("error", reject);
    sent.write(JSON.stringify({ statusCode: answer.status, headers: Object.fromEntries(answer.headers), cookies: [] }));
    sent.write(Buffer.alloc(8));
    (async () => {
      if (answer.body) for await (const chunk of answer.body) sent.write(chunk);
      sent.end();
    })().catch(reject);
  });
}
