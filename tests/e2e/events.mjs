// Events, from the tool that emits them to who hears of them: asked for, on a stream, and sent to the receiver of the AI SDK, which
// also subscribes, renews and unsubscribes. The server is the fixture server as a process, over HTTP; one trusts the receiver's host, as
// its operator says, and one asks it first.
//
//     node events.mjs PROGRAM

import { spawn } from 'node:child_process';

import { createMCPClient } from '@ai-sdk/mcp';

import { assert, check } from './checks.mjs';
import { startReceiver } from './receiver.mjs';
import { post, send } from './tasks-port.mjs';

const [program] = process.argv.slice(2);
if (!program) {
  console.error('node events.mjs PROGRAM');
  process.exit(2);
}

/** A secret of 32 bytes that no receiver here has. */
const OTHER = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const name = 'note.added';

async function serve(variables) {
  const env = { ...process.env, MCPFN_LOG: 'debug', ...variables };
  const child = spawn(program, ['--port', '0'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const server = { said: '', stop: () => child.kill() };
  server.url = await new Promise((found, failed) => {
    const hear = (text) => {
      server.said += text;
      const match = /listening on (http:\S+)/.exec(server.said);
      if (match) found(match[1]);
    };
    child.stdout.setEncoding('utf8').on('data', hear);
    child.stderr.setEncoding('utf8').on('data', hear);
    child.on('exit', (code) => failed(new Error(`the server ended with ${code}:\n${server.said}`)));
  });
  return server;
}

/** What a server answers to a request that works. */
async function ask(url, method, params) {
  const { result, error } = await send(url, { method, params });
  assert(error === undefined, `${method}: ${JSON.stringify(error)}`);
  return result;
}

const note = (url, topic, text) => ask(url, 'tools/call', { name: 'note', arguments: { topic, text } });
const poll = (url, params) => ask(url, 'events/poll', { name, ...params });
const texts = (events) => events.map(({ data }) => data.text).join();

async function asked(url) {
  await check('events: a poll begins now, and goes on behind its cursor', async () => {
    await note(url, 'a', 'before');
    const begun = await poll(url, {});
    assert(begun.events.length === 0 && begun.truncated === false, JSON.stringify(begun));
    await note(url, 'a', 'one');
    await note(url, 'b', 'two');
    const first = await poll(url, { cursor: begun.cursor, maxEvents: 1 });
    assert(texts(first.events) === 'one' && first.hasMore === true, JSON.stringify(first));
    const next = await poll(url, { cursor: first.cursor });
    assert(texts(next.events) === 'two' && next.hasMore === false, JSON.stringify(next));
    const none = await poll(url, { cursor: next.cursor });
    assert(none.events.length === 0 && none.nextPollMs >= 1000, JSON.stringify(none));
  });
  await check('events: a poll finds what it chose', async () => {
    const choice = { arguments: { topic: 'b' } };
    const { cursor } = await poll(url, choice);
    await note(url, 'a', 'not this');
    await note(url, 'b', 'this');
    const found = await poll(url, { ...choice, cursor });
    assert(texts(found.events) === 'this', JSON.stringify(found));
    // it belongs to that choice
    const other = await poll(url, { arguments: { topic: 'a' }, cursor });
    assert(other.truncated === true && other.events.length === 0, JSON.stringify(other));
  });
  await check('events: a stream says that it is active, and then what happens', async () => {
    const leave = new AbortController();
    const response = await post(url, { method: 'events/stream', params: { name } }, { signal: leave.signal });
    const type = response.headers.get('content-type');
    assert(response.status === 200 && type.startsWith('text/event-stream'), `${response.status} ${type}`);
    const messages = read(response.body);
    const { value: active } = await messages.next();
    assert(active.method === 'notifications/events/active', JSON.stringify(active));
    await note(url, 'a', 'on the stream');
    for await (const { method, params } of messages) {
      if (method === 'notifications/events/heartbeat') continue;
      assert(method === 'notifications/events/event' && params.data.text === 'on the stream', JSON.stringify(params));
      const since = await poll(url, { cursor: params.cursor });
      assert(since.events.length === 0 && since.truncated === false, JSON.stringify(since));
      break;
    }
    leave.abort();
  });
}

/** The messages of a stream. */
async function* read(body) {
  let rest = '';
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    const frames = (rest + piece).split('\n\n');
    rest = frames.pop();
    for (const frame of frames) {
      const data = frame.split('\n').filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trimStart());
      if (data.join('')) yield JSON.parse(data.join('\n'));
    }
  }
}

/** A subscription of the AI SDK, from its beginning to its end. */
async function subscribed(how, server, receiver, questions) {
  const named = (what) => `events: the AI SDK, whose host is ${how}, ${what}`;
  const client = await createMCPClient({
    transport: { type: 'http', url: server.url },
    experimental_events: { store: receiver.store },
  });
  const events = client.experimental_events;
  const { url } = server;
  const delivery = { mode: 'webhook', url: `https://${receiver.host}/hooks?of=${encodeURIComponent(how)}` };
  const arrived = (id, text) => receiver.wait(({ subscription, body, taken }) => taken && subscription === id && body.data?.text === text, text);
  let id;
  await check(named('lists events'), async () => {
    const { events: [listed, ...more] } = await events.list();
    assert(listed.name === name && more.length === 0, JSON.stringify(listed));
    assert(listed.delivery.join() === 'poll,push,webhook', listed.delivery.join());
    assert('topic' in listed.inputSchema.properties && listed.payloadSchema.required.includes('text'), JSON.stringify(listed));
  });
  await check(named('subscribes'), async () => {
    const before = receiver.got.length;
    const result = await events.subscribe({ name, delivery, arguments: { topic: 'a' } });
    id = result.id;
    assert(Date.parse(result.refreshBefore) > Date.now() && result.truncated === false, JSON.stringify(result));
    const came = receiver.got.slice(before);
    assert(came.length === questions && came.every(({ body }) => body.type === 'verification'), JSON.stringify(came));
    assert(came.every(({ status, subscription }) => status === 200 && subscription === id), JSON.stringify(came));
  });
  await check(named('is sent what it chose, signed'), async () => {
    await note(url, 'b', `${how}: not this`);
    await note(url, 'a', `${how}: first`);
    const { body, status, id: message } = await arrived(id, `${how}: first`);
    assert(status === 204 && message === body.eventId && body.name === name, JSON.stringify(body));
    const { cursor } = await receiver.store.getById(id);
    assert(cursor && cursor === body.cursor, `its cursor is ${cursor}`);
  });
  await check(named('is sent again what its receiver could not take'), async () => {
    receiver.busy.add(`${how}: busy`);
    await note(url, 'a', `${how}: busy`);
    const refused = await receiver.wait(({ status, body }) => status === 503 && body.data?.text === `${how}: busy`, 'the first attempt');
    const { id: message } = await arrived(id, `${how}: busy`);
    assert(message === refused.id, `${refused.id} came again as ${message}`);
  });
  await check(named('renews'), async () => {
    const before = receiver.got.length;
    const again = await events.refresh({ id });
    assert(again.id === id && receiver.got.length === before, JSON.stringify(again));
    await note(url, 'a', `${how}: second`);
    await arrived(id, `${how}: second`);
  });
  await check(named('unsubscribes, and nothing more arrives'), async () => {
    const { cursor } = await receiver.store.getById(id);
    await events.unsubscribe({ id });
    assert(receiver.store.kept.size === 0, 'it is kept');
    // another one hears of what the first one does not hear of any more
    const { id: other } = await events.subscribe({ name, delivery });
    for (const number of [1, 2, 3]) await note(url, 'a', `${how}: after ${number}`);
    for (const number of [1, 2, 3]) await arrived(other, `${how}: after ${number}`);
    await events.unsubscribe({ id: other });
    const late = receiver.got.filter(({ subscription, body }) => subscription === id && body.data?.text.includes('after'));
    const refused = receiver.got.filter(({ subscription, status }) => subscription === id && status === 401);
    assert(late.length === 0 && refused.length === 0, JSON.stringify([late, refused]));
    // what it missed is sent to it once it is there again
    const back = await events.subscribe({ name, delivery, arguments: { topic: 'a' }, cursor });
    assert(back.truncated === false, JSON.stringify(back));
    for (const number of [1, 2, 3]) await arrived(back.id, `${how}: after ${number}`);
    await events.unsubscribe({ id: back.id });
  });
  await client.close();
}

/** What is refused, with which number and in which sentence. */
const refusals = (receiver, key) => {
  const at = (host, more = {}) => ({ name, delivery: { mode: 'webhook', url: `https://${host}/hooks?mcp_event_subscription=${key}`, secret: OTHER, ...more } });
  return [
    ['a poll of an event that there is none of', 'events/poll', { name: 'nothing' }, -32023, /event `nothing` does not exist/],
    ['a stream of one', 'events/stream', { name: 'nothing' }, -32023, /event `nothing` does not exist/],
    ['a subscription to one', 'events/subscribe', { ...at(receiver.host), name: 'nothing' }, -32023, /event `nothing` does not exist/],
    ['a choice that the event does not have', 'events/poll', { name, arguments: { topic: 7 } }, -32602, /topic/],
    ['an address of this machine', 'events/subscribe', at(`127.0.0.1:${receiver.port}`), -32027, /did not confirm that it wants events \(connection_refused\)/],
    ['a name of this machine', 'events/subscribe', at('localhost:1'), -32027, /\(connection_refused\)/],
    ['the address where clouds keep credentials', 'events/subscribe', at('169.254.169.254'), -32027, /\(connection_refused\)/],
    ['a receiver with another secret', 'events/subscribe', at(receiver.host), -32027, /\(http_4xx\)/],
    ['a secret that is none', 'events/subscribe', at(receiver.host, { secret: 'hunter2' }), -32602, /must be `whsec_` and 24 to 64 random bytes/],
    ['an address without TLS', 'events/subscribe', at(receiver.host, { url: `http://${receiver.host}/` }), -32602, /must be an `https` URL/],
    ['another way to deliver', 'events/subscribe', at(receiver.host, { mode: 'push' }), -32026, /must be "webhook"/],
  ];
};

const receiver = await startReceiver();
const root = { TEST_ROOT: receiver.root };
const trusting = await serve({ ...root, MCPFN_WEBHOOK_HOSTS: receiver.host });
const asking = await serve({ ...root, TEST_PUBLIC_HOST: receiver.host });
try {
  await asked(trusting.url);
  await subscribed('trusted', trusting, receiver, 0);
  await subscribed('asked', asking, receiver, 1);
  // somebody's subscription that is not confirmed, whose secret another one does not know
  const key = 'pending';
  const secret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
  await receiver.store.set({ key, name, arguments: {}, delivery: { mode: 'webhook', url: '', secret }, status: 'pending' });
  for (const [what, method, params, code, sentence] of refusals(receiver, key)) {
    await check(`events: ${what} is refused in a sentence`, async () => {
      const { error } = await send(asking.url, { method, params });
      assert(error?.code === code && sentence.test(error.message), JSON.stringify(error));
    });
  }
  await check('events: no secret is in a log', async () => {
    for (const { said } of [trusting, asking]) assert(!said.includes('whsec_') && !said.includes('hunter2'), said);
  });
} finally {
  for (const one of [trusting, asking, receiver]) one.stop();
}
