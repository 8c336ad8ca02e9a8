// A Vectorize index of three numbers in memory, in the place of the service: what asks it is the real binding. It finds exactly and at
// once, which the service does not; its limits and refusals are those that Cloudflare documents. The namespace `late` is never answered.

const LENGTH = 3;
const vectors = new Map();

const refuse = (code, error) => Response.json({ code, error }, { status: 400 });
const bytes = (text) => new TextEncoder().encode(text).length;
const dot = (one, other) => one.reduce((sum, number, at) => sum + number * other[at], 0);
const cosine = (one, other) => dot(one, other) / Math.sqrt(dot(one, one) * dot(other, other)) || 0;

function put(list, replace) {
  if (list.length > 1000) return refuse(40007, 'at most 1000 vectors at once');
  for (const { id, values, namespace = '', metadata } of list) {
    if (values.length !== LENGTH) return refuse(40012, `invalid vector for id="${id}", expected ${LENGTH} dimensions, and got ${values.length} dimensions`);
    if (bytes(id) > 64 || bytes(namespace) > 64) return refuse(40008, 'an id or namespace is longer than 64 bytes');
    if (bytes(JSON.stringify(metadata ?? {})) > 10_240) return refuse(40009, 'metadata have at most 10 KiB');
  }
  for (const vector of list) {
    if (replace || !vectors.has(vector.id)) vectors.set(vector.id, vector);
  }
  return Response.json({ mutationId: crypto.randomUUID() });
}

async function query({ vector, topK = 5, namespace, returnValues, returnMetadata = 'none' }) {
  if (namespace === 'late') await scheduler.wait(3_600_000);
  if (vector.length !== LENGTH) return refuse(40006, `invalid query vector, expected ${LENGTH} dimensions, and got ${vector.length} dimensions`);
  const most = returnValues || returnMetadata === 'all' ? 20 : 100;
  if (topK < 1 || topK > most) return refuse(40025, `topK must be from 1 to ${most}`);
  const matches = [...vectors.values()]
    .filter((one) => namespace === undefined || one.namespace === namespace)
    .map((one) => ({ id: one.id, score: cosine(one.values, vector) }))
    .sort((one, other) => other.score - one.score)
    .slice(0, topK);
  return Response.json({ count: matches.length, matches });
}

export default {
  async fetch(request) {
    const text = await request.text();
    const list = () => text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
    switch (new URL(request.url).pathname) {
      case '/insert':
        return put(list(), false);
      case '/upsert':
        return put(list(), true);
      case '/query':
        return query(JSON.parse(text));
      case '/getByIds': {
        const { ids } = JSON.parse(text);
        if (ids.length > 20) return refuse(40010, 'at most 20 ids at once');
        return Response.json(ids.filter((id) => vectors.has(id)).map((id) => vectors.get(id)));
      }
      case '/deleteByIds':
        for (const id of JSON.parse(text).ids) vectors.delete(id);
        return Response.json({ mutationId: crypto.randomUUID() });
      default:
        return refuse(40000, 'unknown');
    }
  },
};
