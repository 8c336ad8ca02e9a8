// Requests of 2026-07-28, sent to an address: what the client of tasks of @modelcontextprotocol/ext-tasks wants of its host, and how
// events are asked for, which no client has methods for.

const EXTENSIONS = { 'io.modelcontextprotocol/tasks': {}, 'io.modelcontextprotocol/events': {} };
const PREFIX = 'io.modelcontextprotocol/';

let requests = 0;

/** Posts a request as it was written, with what 2026-07-28 wants around it. */
export function post(url, request, options = {}) {
  const { method, params = {} } = request;
  const meta = {
    ...params._meta,
    [`${PREFIX}protocolVersion`]: '2026-07-28',
    [`${PREFIX}clientInfo`]: { name: 'mcpfn-e2e', version: '0.0.0' },
    [`${PREFIX}clientCapabilities`]: { elicitation: {}, extensions: EXTENSIONS },
  };
  const name = params.name ?? params.taskId;
  requests += 1;
  return fetch(url, {
    method: 'POST',
    signal: options.signal,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(name === undefined ? {} : { 'mcp-name': name }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: requests, method, params: { ...params, _meta: meta } }),
  });
}

/** The same, and its answer. */
export async function send(url, request, options = {}) {
  const response = await post(url, request, options);
  const { result, error } = await response.json();
  return error === undefined ? { kind: 'result', result } : { kind: 'error', error };
}

/** The package's way to the server at an address. */
export const portOf = (url) => ({
  endpointId: 'everything',
  taskCapabilities: { generation: 'v2', capabilities: {} },
  dispatch: (request, options) => send(url, request, options),
  onServerRequest: () => () => {},
  onNotification: () => () => {},
  onInvalidated: () => () => {},
  invalidated: false,
});
