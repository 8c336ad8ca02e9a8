// The Durable Objects of the built Worker, as objects that can be looked into: GET /look?shard=A says how many rows one has and when its
// alarm comes, /sweep lets the alarm come now.

import { McpfnIdempotency as Built } from './index.js';

export class McpfnIdempotency {
  constructor(state, env) {
    this.storage = state.storage;
    this.built = new Built(state, env);
  }

  // an object without this method can have no alarm
  alarm() {
    return this.built.alarm();
  }

  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === '/sweep') await this.built.alarm();
    else if (pathname !== '/look') return this.built.fetch(request);
    const [{ rows }] = this.storage.sql.exec('SELECT count(*) AS rows FROM idempotency').toArray();
    return Response.json({ rows, alarm: await this.storage.getAlarm() });
  }
}

export default {
  fetch: (request, env) => env.IDEMPOTENCY.getByName(new URL(request.url).searchParams.get('shard')).fetch(request),
};
