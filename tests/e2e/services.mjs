// The services that toolkits ask, played on loopback: they answer as the real ones are documented to, and repeat the secret
// they were sent where they can, so that a server that passes answers on unread is found out. Knows no MCP.

import { createServer } from 'node:http';

/** The keys that the server is given, and that must appear in nothing it says. */
export const SECRETS = {
  MCPFN_WEATHER_API_KEY: 'k-weather-7f3a91',
  MCPFN_COMPANY_API_KEY: 'k-company-c02be4',
  MCPFN_SEARCH_API_KEY: 'k-search-58d1aa',
  MCPFN_GITHUB_TOKEN: 'ghp_planted0token1value2',
};

function weather({ url, secret }) {
  const city = url.searchParams.get('q');
  if (city !== 'Lisbon') return [404, { cod: '404', message: `city not found for ${secret}` }];
  return [200, { name: city, sys: { country: 'PT' }, main: { temp: 18.4, feels_like: 18.1, humidity: 71 }, weather: [{ description: 'few clouds' }] }];
}

function company({ url, secret }) {
  const domain = url.searchParams.get('domain');
  if (domain === 'down.example') return [500, { error: `failed for ${secret}` }];
  return [200, { organization: { name: 'Apollo', estimated_num_employees: 480, industry: 'software', city: 'London', website_url: `http://${domain}` } }];
}

function search({ url, origin, secret }) {
  if (url.searchParams.get('q') === 'limit') return [429, { message: secret }, { 'retry-after': '9' }];
  return [200, { type: 'search', web: { results: [{ title: 'News of today', url: `${origin}/page`, description: 'What <strong>happened</strong>' }] } }];
}

function github({ url, method, secret }) {
  const [, , owner, repo, what, number] = url.pathname.split('/');
  if (owner !== 'octocat' || repo !== 'hello') return [404, { message: `Not Found for ${secret}` }];
  if (method === 'POST' && what === 'issues') {
    return [201, { number: 7, html_url: `https://github.com/${owner}/${repo}/issues/${number ?? 7}`, id: 1 }];
  }
  return [200, [{ number: 12, state: 'open', title: 'Faster lists', user: { login: 'ada' }, draft: false, head: { ref: 'fast' }, base: { ref: 'main' },
    created_at: '2026-11-01T08:00:00Z', updated_at: '2026-11-02T08:00:00Z', merged_at: null, html_url: 'https://github.com/octocat/hello/pull/12' }]];
}

const SERVICES = { weather, company, search, github };

/** Starts every service on a port of its own; gives their addresses and how to stop them. `page` serves one HTML page. */
export async function start() {
  const servers = [];
  const listen = async (answer) => {
    const server = createServer(answer);
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    servers.push(server);
    return `http://127.0.0.1:${server.address().port}`;
  };
  const page = await listen((request, response) => {
    const found = request.url === '/page';
    response.writeHead(found ? 200 : 404, { 'content-type': 'text/html' });
    response.end(found ? '<title>News</title><main><h1>Today</h1><p>Something happened, and here is enough text to read about it.</main>' : '');
  });
  const urls = { page };
  for (const [name, answer] of Object.entries(SERVICES)) {
    urls[name] = await listen((request, response) => {
      const url = new URL(request.url, 'http://service');
      const secret = Object.values(SECRETS).find((secret) => JSON.stringify([request.url, request.headers]).includes(secret));
      const [status, body, headers = {}] = secret ? answer({ url, method: request.method, origin: page, secret }) : [401, { message: 'no key' }];
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(body));
    });
  }
  return { urls, stop: () => servers.forEach((server) => server.close()) };
}
