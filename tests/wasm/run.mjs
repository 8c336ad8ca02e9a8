//! Loads the module with nothing to import and checks what it answers: `node run.mjs MODULE`. Prints `ok NAME` or
//! `not ok NAME: why` for each check and fails if one did.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

const { instance } = await WebAssembly.instantiate(await readFile(process.argv[2]), {});
const { memory, alloc, call, length } = instance.exports;

/** One request. Views of the memory are made anew each time, because it may have grown in between. */
function fetch(method, path, headers, body = "") {
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`).join("");
  const request = new TextEncoder().encode(`${method} ${path}\n${head}\n${body}`);
  const place = alloc(request.length);
  new Uint8Array(memory.buffer, place, request.length).set(request);
  const answer = call();
  const text = new TextDecoder().decode(new Uint8Array(memory.buffer, answer, length()));
  const end = text.indexOf("\n\n");
  const [status, ...lines] = text.slice(0, end).split("\n");
  return { status: Number(status), headers: Object.fromEntries(lines.map((line) => line.split(": "))), body: text.slice(end + 2) };
}

const VERSION = "2026-07-28";
const ENVELOPE = {
  "io.modelcontextprotocol/protocolVersion": VERSION,
  "io.modelcontextprotocol/clientCapabilities": { elicitation: { form: {} } },
};

/** One message of a client of 2026-07-28. */
function post(method, params = {}, { headers = {}, meta = {} } = {}) {
  const name = params.name ?? params.uri;
  const all = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": VERSION,
    "mcp-method": method,
    ...(name && { "mcp-name": name }),
    ...headers,
  };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: { ...ENVELOPE, ...meta } } });
  return fetch("POST", "/mcp", all, body);
}

function result(response) {
  assert.equal(response.status, 200, response.body);
  const answer = JSON.parse(response.body);
  assert.ok(answer.result, response.body);
  return answer.result;
}

function error(response, status) {
  assert.equal(response.status, status, response.body);
  return JSON.parse(response.body).error;
}

const callTool = (name, args = {}, more = {}, options = {}) => post("tools/call", { name, arguments: args, ...more }, options);

/** The first round of `greet`, and a second one with this state. */
const asked = () => result(callTool("greet"));
const answered = (requestState) =>
  callTool("greet", {}, { requestState, inputResponses: { name: { action: "accept", content: { name: "Ada" } } } });

const checks = {
  "health"() {
    const response = fetch("GET", "/health", {});
    assert.equal(JSON.parse(response.body).status, "ok");
  },
  "discover"() {
    const discovered = result(post("server/discover"));
    assert.deepEqual(discovered.supportedVersions, [VERSION]);
    assert.ok(discovered.capabilities.tools && discovered.capabilities.prompts && discovered.capabilities.resources);
  },
  "handshake of an older client"() {
    const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "check", version: "1" } };
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params });
    const initialized = result(fetch("POST", "/mcp", { "content-type": "application/json" }, body));
    assert.equal(initialized.protocolVersion, "2025-06-18");
  },
  "list in pages"() {
    const first = result(post("tools/list"));
    const second = result(post("tools/list", { cursor: first.nextCursor }));
    assert.deepEqual([...first.tools, ...second.tools].map((tool) => tool.name), ["add", "greet", "count", "slow", "picture"]);
    assert.equal(second.nextCursor, undefined);
    assert.equal(first.tools[0].inputSchema.properties.a.maximum, 1000);
  },
  "cursor of another list"() {
    assert.equal(error(post("tools/list", { cursor: "AAAAAAAAAAAAAAAA" }), 200).code, -32602);
  },
  "call"() {
    assert.deepEqual(result(callTool("add", { a: 2, b: 3 })).structuredContent, { sum: 5 });
  },
  "binary content"() {
    assert.equal(result(callTool("picture")).content[0].data, Buffer.from("\x89PNG\r\n", "latin1").toString("base64"));
  },
  "invalid arguments"() {
    const refused = result(callTool("add", { a: 5000, b: "x", c: 1 }));
    assert.equal(refused.isError, true);
    for (const property of ["a", "b", "c"]) assert.match(refused.content[0].text, new RegExp(`\\b${property}\\b`));
  },
  "unknown tool"() {
    const refused = error(callTool("ad"), 200);
    assert.equal(refused.code, -32602);
    assert.match(refused.message, /`add`/);
  },
  "prompt"() {
    const { messages } = result(post("prompts/get", { name: "introduce", arguments: { name: "Ada" } }));
    assert.equal(messages[0].content.text, "Introduce Ada.");
  },
  "resource"() {
    assert.equal(result(post("resources/read", { uri: "notes://all" })).contents[0].text, "one, two");
  },
  "resource template"() {
    assert.equal(result(post("resources/read", { uri: "notes://7" })).contents[0].text, "This is note 7.");
  },
  "round trip with state"() {
    const first = asked();
    assert.equal(first.resultType, "input_required");
    assert.equal(first.inputRequests.name.method, "elicitation/create");
    assert.equal(result(answered(first.requestState)).content[0].text, "Good morning, Ada!");
  },
  "tampered state"() {
    const { requestState } = asked();
    const changed = (requestState.at(-1) === "A" ? "B" : "A");
    assert.equal(error(answered(requestState.slice(0, -1) + changed), 200).code, -32602);
  },
  "progress as events"() {
    const response = callTool("count", {}, {}, { meta: { progressToken: "p" } });
    assert.equal(response.headers["content-type"], "text/event-stream");
    const messages = response.body.split("\n\n").filter(Boolean).map((event) => JSON.parse(event.replace(/^data: /, "")));
    assert.deepEqual(messages.slice(0, 3).map(({ params }) => [params.progressToken, params.progress]), [["p", 1], ["p", 2], ["p", 3]]);
    assert.equal(messages[3].result.content[0].text, "three");
  },
  "deadline"() {
    const stopped = result(callTool("slow"));
    assert.equal(stopped.isError, true);
    assert.match(stopped.content[0].text, /1 s/);
  },
  "bad origin"() {
    assert.ok(error(post("server/discover", {}, { headers: { origin: "https://evil.example" } }), 403));
  },
  "bad JSON"() {
    assert.equal(error(fetch("POST", "/mcp", { "content-type": "application/json" }, "{"), 400).code, -32700);
  },
  "header that differs from the body"() {
    assert.equal(error(post("server/discover", {}, { headers: { "mcp-method": "tools/list" } }), 400).code, -32020);
  },
  "unknown method"() {
    assert.equal(error(post("tools/uninstall"), 404).code, -32601);
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    check();
    console.log(`ok ${name}`);
  } catch (why) {
    failed += 1;
    console.log(`not ok ${name}: ${why.message.replaceAll("\n", " ")}`);
  }
}
process.exitCode = failed === 0 ? 0 : 1;
