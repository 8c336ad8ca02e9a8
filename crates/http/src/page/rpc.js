// Asks the server, by revision 2026-07-28. What is shown, and how, is page.js.
const REVISION = '2026-07-28';
const PREFIX = 'io.modelcontextprotocol/';
const ENDPOINT = location.origin + location.pathname;
const json = (value) => JSON.stringify(value);

// Kept until this page is left, and nowhere else.
let credential = '';
let lastId = 0;

/** Why a request has no result, in the server's own sentence. */
class Refusal extends Error {
  constructor(message, status, data) {
    super(message);
    this.status = status;
    this.data = data ?? {};
  }
}

// Integers that a JavaScript number would round keep their digits where the browser can do it.
const parse = (text) =>
  JSON.parse(text, (_, value, context) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && JSON.rawJSON &&
    /^-?\d+$/.test(context?.source) ? JSON.rawJSON(context.source) : value);

function headerValue(text) {
  const plain = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text);
  if (plain && !/^=\?base64\?.*\?=$/.test(text)) return text;
  return `=?base64?${btoa(String.fromCodePoint(...new TextEncoder().encode(text)))}?=`;
}

/** `params` are JSON texts by name. Gives the result, or throws a Refusal. */
async function ask(method, params = {}, { name, headers = {}, signal, progress } = {}) {
  const meta = {
    [PREFIX + 'protocolVersion']: REVISION,
    [PREFIX + 'clientInfo']: { name: 'browser-page', title: 'Browser page', version: '1' },
    [PREFIX + 'clientCapabilities']: { elicitation: { form: {} } },
    ...(progress && { progressToken: 'page' }),
  };
  const members = Object.entries({ ...params, _meta: json(meta) });
  const text = members.map(([key, value]) => `${json(key)}:${value}`).join(',');
  lastId += 1;
  const response = await fetch(ENDPOINT, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': REVISION,
      'mcp-method': method,
      ...(name !== undefined && { 'mcp-name': headerValue(name) }),
      ...(credential && { authorization: `Bearer ${credential}` }),
      ...headers,
    },
    body: `{"jsonrpc":"2.0","id":${lastId},"method":${json(method)},"params":{${text}}}`,
    signal,
    redirect: 'error',
  }).catch((error) => {
    throw signal?.aborted ? error : new Refusal('The server did not answer. Is it still running?');
  });
  const message = await answer(response, progress);
  if (message.error) {
    throw new Refusal(message.error.message, response.status, message.error.data);
  }
  return message.result;
}

async function answer(response, progress) {
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
    for await (const message of events(response)) {
      if (message.method === 'notifications/progress') progress?.(message.params);
      else if (message.result || message.error) return message;
    }
    throw new Refusal('The connection ended before there was an answer.', response.status);
  }
  const text = await response.text();
  try {
    const message = parse(text);
    if (message.result || message.error) return message;
  } catch {
    // said below
  }
  throw new Refusal(`HTTP ${response.status}, which is no answer of an MCP server.`, response.status);
}

async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = '', end = false; !end;) {
    const { done, value = '' } = await reader.read();
    end = done;
    const parts = (rest + value).split(/\r?\n\r?\n/);
    rest = parts.pop();
    for (const part of parts) {
      const lines = part.split(/\r?\n/).filter((line) => line.startsWith('data:'));
      if (lines.length) yield parse(lines.map((line) => line.slice(5)).join('\n'));
    }
  }
}

/** Every page of a list. */
async function listed(method, member) {
  const items = [];
  for (let cursor; items.length < 5000;) {
    const page = await ask(method, cursor === undefined ? {} : { cursor: json(cursor) });
    items.push(...page[member]);
    cursor = page.nextCursor;
    if (cursor === undefined) break;
  }
  return items;
}

/** `Mcp-Param-*`: arguments that the schema wants in headers, too. */
function parameterHeaders(schema, value, found = {}) {
  for (const [name, part] of Object.entries(schema?.properties ?? {})) {
    const argument = value?.[name];
    if (argument === undefined || argument === null) continue;
    const header = part?.['x-mcp-header'];
    if (header) found[`mcp-param-${header}`] = headerValue(String(argument.rawJSON ?? argument));
    else parameterHeaders(part, argument, found);
  }
  return found;
}
