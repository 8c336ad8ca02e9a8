// As much of Cloudflare's API as a deployment asks for, on this machine: a Worker with its versions and secrets, KV namespaces, D1
// databases that run what they are sent. Whatever else is asked is an error, so that a test notices. Nothing is served by it.

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';

const md5 = (text) => createHash('md5').update(text).digest('hex');

class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    Object.assign(this, { status, code });
  }
}

/** What an account has; `asked` is every request, in order. */
export class Account {
  asked = [];
  namespaces = new Map();
  databases = new Map();
  workers = new Map();
  #files = new Map();
  #server;

  async start() {
    this.#server = createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      const url = new URL(request.url, this.url);
      const path = url.pathname.replace(/^\/accounts\/account/, '');
      this.asked.push(`${request.method} ${path}`);
      let [status, answer, etag] = [200, { success: true, errors: [], messages: [] }, 'none'];
      try {
        if (path.startsWith('/files/')) {
          this.#files.set(path.slice(7), body.toString());
          etag = md5(body);
        } else {
          const result = await this.#answer(request.method, path, body);
          answer = { ...answer, result, result_info: { page: 1, per_page: 100, total_count: 1, total_pages: 1 } };
        }
      } catch (error) {
        status = error.status ?? 500;
        answer = { success: false, errors: [{ code: error.code ?? 1, message: `${error.message} (${request.method} ${path})` }], messages: [], result: null };
      }
      response.writeHead(status, { 'content-type': 'application/json', etag: `"${etag}"` }).end(JSON.stringify(answer));
    }).listen(0, '127.0.0.1');
    await new Promise((ready) => this.#server.once('listening', ready));
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
    return this;
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((stopped) => this.#server.close(stopped));
  }

  #answer(method, path, body) {
    const json = () => JSON.parse(body.toString());
    const [, first, second, third, ...rest] = path.split('/');
    if (first === 'd1') return this.#d1(method, third, rest[0], json);
    if (first === 'storage') return this.#kv(method, json);
    if (path === '/workers/subdomain') return { subdomain: 'newcomer' };
    if (path === '/user/tokens/verify') return { id: 'token', status: 'active' };
    const worker = this.workers.get(third);
    if (second === 'scripts' && rest.length === 0 && method === 'PUT') return this.#upload(third, body);
    if (!worker) throw new Refusal(404, second === 'services' ? 10090 : 10007, 'This Worker does not exist on your account.');
    if (second === 'services') return { default_environment: { environment: 'production', script: { last_deployed_from: 'wrangler', tags: [] } } };
    if (second === 'workers') return { id: third, name: third, subdomain: { enabled: true, previews_enabled: false } };
    return this.#script(method, worker, rest, body, json);
  }

  /** What is asked about a Worker that is there. */
  #script(method, worker, [what, id], body, json) {
    const secret = ({ name }) => ({ name, type: 'secret_text' });
    switch (`${method} ${what}`) {
      case 'GET settings':
        return { bindings: worker.versions.at(-1).bindings };
      case 'PATCH script-settings':
      case 'GET script-settings':
        return {};
      case 'GET secrets':
        return worker.versions.at(-1).bindings.filter((binding) => binding.type === 'secret_text').map(secret);
      case 'PUT secrets':
        worker.versions.at(-1).bindings.push({ type: 'secret_text', ...json() });
        return secret(json());
      case 'GET subdomain':
      case 'POST subdomain':
        return { enabled: true, previews_enabled: false };
      case 'GET versions':
        return id ? worker.versions.find((version) => version.id === id) ?? Promise.reject(new Refusal(404, 10007, 'no such version')) : { items: worker.versions };
      case 'POST versions':
        return this.#version(worker, body);
      case 'GET deployments':
        return { deployments: worker.deployments };
      case 'POST deployments':
        worker.deployments.unshift({ id: `deployment-${worker.deployments.length}`, source: 'wrangler', created_on: new Date().toISOString(), author_email: '', annotations: json().annotations ?? {}, ...json() });
        return worker.deployments[0];
      default:
        throw new Refusal(404, 7003, 'the stand-in does not know this');
    }
  }

  #upload(name, body) {
    const worker = this.workers.get(name) ?? { versions: [], deployments: [] };
    this.workers.set(name, worker);
    const version = this.#version(worker, body);
    worker.deployments.unshift({ id: `deployment-${worker.deployments.length}`, source: 'wrangler', created_on: version.metadata.created_on, author_email: '', annotations: {}, versions: [{ version_id: version.id, percentage: 100 }] });
    return { id: name, startup_time_ms: 50, deployment_id: version.id, entry_point: 'index.js' };
  }

  /** Secrets that are inherited are those of the version before; one that was not there is refused, as Cloudflare does. */
  #version(worker, body) {
    const metadata = JSON.parse(/name="metadata"\r\n\r\n([^\r]*)/.exec(body.toString('latin1'))[1]);
    const before = worker.versions.at(-1)?.bindings ?? [];
    const bindings = metadata.bindings.map((binding) => {
      if (binding.type !== 'inherit') return binding;
      const kept = before.find(({ name }) => name === binding.name);
      if (!kept) throw new Refusal(400, 10057, `inherit binding '${binding.name}' is invalid`);
      return kept;
    });
    const number = worker.versions.length + 1;
    const version = {
      id: `0000000${number}-0000-4000-8000-000000000000`, number, bindings, observability: metadata.observability,
      metadata: { created_on: new Date().toISOString(), author_email: '', source: 'wrangler' }, annotations: metadata.annotations ?? {},
      resources: { bindings, script: { etag: 'none', handlers: ['fetch'] }, script_runtime: { compatibility_date: '2026-10-01' } }, startup_time_ms: 50,
    };
    worker.versions.push(version);
    return version;
  }

  #kv(method, json) {
    if (method === 'POST') {
      const { title } = json();
      this.namespaces.set(title, md5(title));
      return { id: md5(title) };
    }
    return [...this.namespaces].map(([title, id]) => ({ title, id }));
  }

  #d1(method, which, what, json) {
    const shown = ({ uuid, name }) => ({ uuid, name, version: 'production' });
    if (which === undefined) {
      if (method !== 'POST') return [...this.databases.values()].map(shown);
      const { name } = json();
      this.databases.set(name, { uuid: `00000000-0000-4000-8000-00000000000${this.databases.size}`, name, database: new DatabaseSync(':memory:') });
      return shown(this.databases.get(name));
    }
    const found = [...this.databases.values()].find(({ uuid, name }) => uuid === which || name === which);
    if (!found) throw new Refusal(404, 7404, 'The database could not be found.');
    const meta = { duration: 0, rows_read: 0, rows_written: 0, size_after: 0 };
    switch (what) {
      case undefined:
        return shown(found);
      case 'query': {
        const { sql } = json();
        const results = /^\s*SELECT/i.test(sql) ? found.database.prepare(sql).all() : found.database.exec(sql) ?? [];
        return [{ results, success: true, meta }];
      }
      case 'import': {
        const { action, filename, etag } = json();
        if (action === 'init') return { success: true, messages: [], filename: etag, upload_url: `${this.url}/files/${etag}` };
        found.database.exec(this.#files.get(filename));
        return { success: true, messages: [], status: 'complete', result: { num_queries: 1, final_bookmark: 'mark', meta } };
      }
      case 'time_travel':
        return { bookmark: 'mark', previous_bookmark: 'before', message: 'restored' };
      default:
        throw new Refusal(404, 7003, 'the stand-in does not know this');
    }
  }
}
