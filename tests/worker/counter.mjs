// The objects of events of the built Worker, with what each request costs: GET /cost says how many requests there were since the last one
// that asked, and how many rows these read and wrote, alarms and values included.

import { McpfnEvents as Built } from './index.js';

let requests = 0;
let cursors = [];
let values = { read: 0, written: 0 };

const counted = (storage) => ({
  sql: {
    exec: (...statement) => {
      const cursor = storage.sql.exec(...statement);
      cursors.push(cursor);
      return cursor;
    },
  },
  kv: {
    get: (name) => {
      values.read += 1;
      return storage.kv.get(name);
    },
    put: (name, value) => {
      values.written += 1;
      return storage.kv.put(name, value);
    },
  },
  getAlarm: () => {
    values.read += 1;
    return storage.getAlarm();
  },
  setAlarm: (at) => {
    values.written += 1;
    return storage.setAlarm(at);
  },
  deleteAll: () => storage.deleteAll(),
});

export class McpfnEvents {
  constructor(state, env) {
    this.built = new Built({ storage: counted(state.storage) }, env);
  }

  alarm() {
    return this.built.alarm();
  }

  fetch(request) {
    requests += 1;
    return this.built.fetch(request);
  }
}

export default {
  fetch() {
    const sum = (rows) => cursors.reduce((sum, cursor) => sum + cursor[rows], 0);
    const cost = { requests, read: values.read + sum('rowsRead'), written: values.written + sum('rowsWritten') };
    [requests, cursors, values] = [0, [], { read: 0, written: 0 }];
    return Response.json(cost);
  },
};
