// Secrets of a Secrets Store as a Worker is bound to them: each is a service whose `get` gives the text. `Lost` is not there the first
// two times, `Stuck` does not answer.

import { WorkerEntrypoint } from 'cloudflare:workers';

/** `robot-key` */
const KEYS = 'robot:b2cfb5518f033861ee2dd12be0f7c0b95c23d0b8d1f4c32c8a788f77bc8a52be:held';
let asked = 0;

export class Keys extends WorkerEntrypoint {
  async get() {
    return KEYS;
  }
}

export class Lost extends WorkerEntrypoint {
  async get() {
    asked += 1;
    if (asked < 3) throw new Error('Secret "hunter2" not found');
    return 'BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=';
  }
}

export class Stuck extends WorkerEntrypoint {
  get() {
    return scheduler.wait(3_600_000);
  }
}

export default {
  fetch: () => new Response(null, { status: 404 }),
};
