// The Durable Objects of the built Worker, as objects that can be looked into: GET /look?shard=A says how many rows one has and when its
// alarm comes, /sweep lets the alarm come now, /forget takes it away as the runtime does that gives one up, and lets the object begin
// anew, /break lets it come to a table that is none. A key with `slow`, `hang`, `lost` or `early` in it meets that fault: an answer after
// 300 ms, none ever, one that is lost, a request that is lost.

import { McpfnIdempotency as Built } from './index.js';

const FAULTS = ['slow', 'hang', 'lost', 'early'];

export class McpfnIdempotency {
  constructor(state, env) {
    this.state = state;
    this.env = env;
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
    else if (pathname === '/forget') {
      await this.storage.deleteAlarm();
      this.built = new Built(this.state, this.env);
    } else if (pathname === '/break') {
      await this.storage.deleteAlarm();
      this.storage.sql.exec('ALTER TABLE idempotency RENAME COLUMN expires_ms TO other');
      await this.built.alarm();
      this.storage.sql.exec('ALTER TABLE idempotency RENAME COLUMN other TO expires_ms');
    } else if (pathname !== '/look') return this.answer(request);
    const [{ rows }] = this.storage.sql.exec('SELECT count(*) AS rows FROM idempotency').toArray();
    return Response.json({ rows, alarm: await this.storage.getAlarm() });
  }

  async answer(request) {
    const body = await request.arrayBuffer();
    const text = new TextDecoder('latin1').decode(body);
    const fault = FAULTS.find((fault) => text.includes(fault));
    if (fault === 'hang') await new Promise(() => {});
    if (fault === 'slow') await scheduler.wait(300);
    if (fault === 'early') return new Response(null, { status: 503 });
    const answer = await this.built.fetch(new Request(request.url, { method: 'POST', body }));
    return fault === 'lost' ? new Response(null, { status: 503 }) : answer;
  }
}

export default {
  fetch: (request, env) => env.IDEMPOTENCY.getByName(new URL(request.url).searchParams.get('shard')).fetch(request),
};
