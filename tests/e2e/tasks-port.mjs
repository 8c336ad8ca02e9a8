// What the client of tasks of @modelcontextprotocol/ext-tasks wants of its host: requests of 2026-07-28, sent to an address.

const EXTENSION = 'io.modelcontextprotocol/tasks';
const PREFIX = 'io.modelcontextprotocol/';

let requests = 0;

/** Sends a request as the package wrote it, with what 2026-07-28 wants around it. */
export async function send(url, request, options = {}) {
  const { method, params = {} } = request;
  const meta = {
    ...params._meta,
    [`${PREFIX}protocolVersion`]: '2026-07-28',
    [`${PREFIX}clientInfo`]: { name: 'mcpfn-e2e', version: '0.0.0' },
    [`${PREFIX}clientCapabilities`]: { elicitation: {}, extensions: { [EXTENSION]: {} } },
  };
  requests += 1;
  const response = await fetch(url, {
    method: 'POST',
    signal: options.signal,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      'mcp-name': params.name ?? params.taskId,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: requests, method, params: { ...params, _meta: meta } }),
  });
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
