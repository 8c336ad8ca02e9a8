// A client that goes away before its answer has begun. workerd alone does not notice one that closes its connection, but a Worker
// that stops waiting for another is noticed, as every client is in production.

export default {
  async fetch(request, env) {
    const patience = Number(request.headers.get('x-patience'));
    try {
      return await env.SERVICE.fetch(request, { signal: AbortSignal.timeout(patience) });
    } catch (error) {
      return new Response(String(error), { status: 504 });
    }
  },
};
