// Durable Objects that never answer.

export class McpfnIdempotency {
  fetch() {
    return new Promise(() => {});
  }
}

export default {
  fetch: () => new Response(null, { status: 404 }),
};
