// A queue of Cloudflare, on the disk of workerd: messages come as workerd's binding `queue` sends them, wait, and are given to the
// `queue` handler of the service CONSUMER until it takes them. Time runs SPEED times as fast. What comes too often, and what is sent to the
// entrypoint Dead, is kept as dead. To its own port: GET /messages, POST /put (a message as JSON), POST /twice (what is taken next comes
// once more).

import { DurableObject, WorkerEntrypoint } from 'cloudflare:workers';

const BATCH = 10;
const AT_ONCE = 10;
const MOST_ATTEMPTS = 100;
// a message that is out comes again, should its consumer be gone
const LEASE_MS = 3_000;

const decoded = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
const text = (bytes) => new TextDecoder().decode(bytes);

/** What a producer is answered. */
const taken = () => Response.json({ metadata: { metrics: { backlogCount: 0, backlogBytes: 0, oldestMessageTimestamp: 0 } } });

/** What a request of a producer has in it. */
async function messages(request) {
  const format = (name) => request.headers.get(name);
  if (new URL(request.url).pathname === '/batch') {
    const { messages } = await request.json();
    return messages.map(({ body, contentType, delaySecs }) => ({ type: contentType ?? 'v8', delay: delaySecs ?? 0, body: text(decoded(body)) }));
  }
  return [{ type: format('X-Msg-Fmt') ?? 'v8', delay: Number(format('X-Msg-Delay-Secs') ?? 0), body: await request.text() }];
}

export class Broker extends DurableObject {
  constructor(state, env) {
    super(state, env);
    this.sql = state.storage.sql;
    this.sql.exec('CREATE TABLE IF NOT EXISTS message (id TEXT PRIMARY KEY, at REAL, due REAL, attempts INTEGER, type TEXT, body TEXT, dead INTEGER)');
    this.speed = Number(env.SPEED);
    this.twice = 0;
    this.calls = 0;
  }

  async put(list, dead = 0) {
    const now = Date.now();
    for (const { type, delay, body } of list) {
      if (!['text', 'json'].includes(type)) throw new Error(`a message of type ${type}`);
      if (delay < 0 || delay > 86_400 || !Number.isInteger(delay)) throw new Error(`a delay of ${delay}`);
      this.sql.exec('INSERT INTO message VALUES (?, ?, ?, 0, ?, ?, ?)', crypto.randomUUID(), now, now + (delay * 1000) / this.speed, type, body, dead);
    }
    if (!this.working) await this.arm();
  }

  async arm() {
    const [{ due }] = this.sql.exec('SELECT min(due) AS due FROM message WHERE dead = 0').toArray();
    if (due !== null) await this.ctx.storage.setAlarm(Math.max(due, Date.now()));
  }

  all() {
    return { calls: this.calls, messages: this.sql.exec('SELECT * FROM message').toArray() };
  }

  again() {
    this.twice += 1;
  }

  async alarm() {
    this.working = true;
    try {
      const now = Date.now();
      const due = this.sql.exec('SELECT * FROM message WHERE dead = 0 AND due <= ? ORDER BY due LIMIT ?', now, BATCH * AT_ONCE).toArray();
      for (const { id } of due) this.sql.exec('UPDATE message SET due = ?, attempts = attempts + 1 WHERE id = ?', now + LEASE_MS, id);
      const batches = [];
      for (let first = 0; first < due.length; first += BATCH) batches.push(due.slice(first, first + BATCH));
      await Promise.all(batches.map((batch) => this.give(batch)));
    } finally {
      this.working = false;
      await this.arm();
    }
  }

  async give(batch) {
    const given = batch.map(({ id, at, attempts, type, body }) => ({ id, timestamp: new Date(at), attempts: attempts + 1, body: type === 'json' ? JSON.parse(body) : body }));
    this.calls += 1;
    const metadata = { metrics: { backlogCount: 0, backlogBytes: 0 } };
    const result = await this.env.CONSUMER.queue('events', given, metadata).catch(() => ({ outcome: 'exception' }));
    const failed = result.outcome !== 'ok' || result.retryBatch?.retry;
    const retried = new Map(result.retryMessages?.map(({ msgId, delaySeconds }) => [msgId, delaySeconds]));
    for (const { id, attempts } of batch) {
      if (failed || retried.has(id)) {
        const delay = retried.get(id) ?? result.retryBatch?.delaySeconds ?? 0;
        this.sql.exec('UPDATE message SET due = ?, dead = ? WHERE id = ?', Date.now() + (delay * 1000) / this.speed, attempts + 1 >= MOST_ATTEMPTS ? 1 : 0, id);
      } else if (this.twice > 0) {
        this.twice -= 1;
        this.sql.exec('UPDATE message SET due = ? WHERE id = ?', Date.now(), id);
      } else this.sql.exec('DELETE FROM message WHERE id = ?', id);
    }
  }
}

/** What nobody does any more. */
export class Dead extends WorkerEntrypoint {
  async fetch(request) {
    await this.env.BROKER.getByName('it').put(await messages(request), 1);
    return taken();
  }
}

export default {
  async fetch(request, env) {
    const broker = env.BROKER.getByName('it');
    switch (new URL(request.url).pathname) {
      case '/messages':
        return Response.json(await broker.all());
      case '/twice':
        await broker.again();
        return Response.json({});
      case '/run':
        return Response.json(await env.CONSUMER.scheduled({ scheduledTime: new Date(1_000), cron: '*/5 * * * *' }));
      case '/put':
        await broker.put([{ type: 'json', delay: 0, body: await request.text() }]);
        return Response.json({});
      default:
        await broker.put(await messages(request));
        return taken();
    }
  },
};
