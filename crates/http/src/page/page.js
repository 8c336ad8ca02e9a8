// What is shown. The address says what is chosen (`#tool=NAME`), so that it can be kept and sent.
const DATA = JSON.parse(document.getElementById('data').textContent);
const main = document.getElementById('main');
const found = { tool: [], resource: [], template: [], prompt: [] };
let server = {};
let challenge;

const GROUPS = [
  ['tool', 'Tools', 'tools', 'tools/list', 'tools', (item) => item.name],
  ['resource', 'Resources', 'resources', 'resources/list', 'resources', (item) => item.uri],
  ['template', 'Resource templates', 'resources', 'resources/templates/list', 'resourceTemplates', (item) => item.uriTemplate],
  ['prompt', 'Prompts', 'prompts', 'prompts/list', 'prompts', (item) => item.name],
];

const busy = (text) => h('p', { class: 'quiet', role: 'status' }, text);
const wrong = (error) => h('p', { class: 'bad-box', role: 'alert' }, error.message);
const pretty = (value) => JSON.stringify(value, undefined, 2);
const paragraph = (text) => text && h('p', { class: 'text' }, text);

function show(title, ...children) {
  const heading = h('h2', { tabindex: -1 }, title);
  main.replaceChildren(h('a', { href: '#', class: 'only-narrow' }, 'Back to the list'), heading, ...children.flat().filter(Boolean));
  document.title = `${title} - ${server.title ?? server.name ?? 'MCP server'}`;
  return heading;
}

function copier(text, what) {
  const button = h('button', {
    type: 'button', class: 'small', 'aria-label': `Copy ${what}`,
    onclick: async () => {
      const done = await navigator.clipboard.writeText(text).then(() => 'Copied', () => 'Select it and press Ctrl+C');
      button.textContent = done;
      setTimeout(() => { button.textContent = 'Copy'; }, 2000);
    },
  }, 'Copy');
  return button;
}

const block = (title, text, note) => [
  h('div', { class: 'ends' }, h('h3', {}, title), copier(text, title)),
  note && h('p', { class: 'hint' }, note),
  h('pre', { tabindex: 0, 'aria-label': title }, text),
];

const folded = (title, value) => h('details', {}, h('summary', {}, title), h('pre', { tabindex: 0 }, pretty(value)));

// The list

function drawList() {
  const filter = h('input', { type: 'search', placeholder: 'Filter', 'aria-label': 'Filter the list', oninput: () => fill() });
  const groups = h('div');
  function fill() {
    const wanted = filter.value.toLowerCase();
    groups.replaceChildren(...GROUPS.flatMap(([kind, title, , , , nameOf]) => {
      const items = found[kind].filter((item) =>
        `${nameOf(item)} ${item.title ?? ''} ${item.description ?? ''}`.toLowerCase().includes(wanted));
      return items.length ? [h('h2', {}, `${title} (${items.length})`), h('ul', {}, items.map((item) =>
        h('li', {}, h('a', { href: `#${kind}=${encodeURIComponent(nameOf(item))}` }, nameOf(item)))))] : [];
    }));
    mark();
  }
  document.getElementById('list').replaceChildren(filter, groups);
  fill();
}

function mark() {
  for (const link of document.querySelectorAll('#list a')) {
    if (link.getAttribute('href') === location.hash) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

function route(moved) {
  const [kind, rest] = location.hash.slice(1).split(/=(.*)/s);
  const group = GROUPS.find(([name]) => name === kind);
  const name = decodeURIComponent(rest ?? '');
  const item = group && found[kind].find((one) => group[5](one) === name);
  document.body.classList.toggle('chosen', Boolean(kind));
  const views = { tool, resource, template, prompt };
  const heading = item ? views[kind](item)
    : kind === 'connect' ? connect()
      : kind === 'key' ? credentials()
        : kind ? show('Not found', paragraph(`This server has no ${group ? kind : 'page'} of that name that you may see.`))
          : about();
  mark();
  if (moved) heading.focus();
}

// The views

function facts() {
  const rows = [
    ['Endpoint', publicUrl()], ['Name', server.name], ['Version', server.version],
    ['Protocol', REVISION], ['Website', server.websiteUrl],
  ].filter(([, value]) => value);
  return h('dl', {}, rows.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, h('code', {}, value))]));
}

function about() {
  return show(server.title ?? server.name ?? 'MCP server', paragraph(server.description), facts(),
    server.instructions && [h('h3', {}, 'Instructions for models'), paragraph(server.instructions)],
    h('p', { class: 'quiet' }, 'Choose a tool, a resource or a prompt from the list to try it.'));
}

function publicUrl() {
  if (DATA.url) return DATA.url;
  const path = location.pathname.replace(/\/$/, '');
  return location.origin + (path.endsWith(DATA.endpoint) ? path : path + DATA.endpoint);
}

function connect() {
  return show('Connect a client', paragraph('Clients reach this server at this URL.'), block('URL', publicUrl()),
    DATA.clients.flatMap(({ title, note, text }) => (/^(vscode|cursor):/.test(text)
      ? h('p', {}, h('a', { href: text }, `${title}: ${note}`))
      : block(title, text.replaceAll('{url}', publicUrl()), note))));
}

function credentials(error) {
  const input = h('input', { type: 'password', autocomplete: 'off', id: 'credential', spellcheck: 'false' });
  const save = (event) => {
    event.preventDefault();
    credential = input.value.trim();
    start(true);
  };
  const place = h('div');
  const heading = show('Credentials', error && wrong(error),
    paragraph('This page keeps them until it is closed or loaded again, and sends them to this server only.'),
    place,
    h('form', { onsubmit: save },
      h('div', { class: 'field' }, h('label', { for: 'credential' }, 'API key or access token'), input),
      h('p', { class: 'row' }, h('button', { class: 'first' }, 'Use it'),
        credential && h('button', { type: 'button', onclick: () => { credential = ''; start(true); } }, 'Forget it'))));
  offerSignIn(place);
  return heading;
}

/** A button for each issuer, where the server has told of some. */
async function offerSignIn(place) {
  try {
    const resource = await protectedResource(challenge);
    const scope = challenge?.scope;
    const buttons = (resource?.authorization_servers ?? []).map((issuer) => h('button', {
      type: 'button', class: 'first',
      onclick: () => signIn(issuer, resource, scope).catch((error) => place.append(wrong(error))),
    }, `Sign in at ${new URL(issuer).host}`));
    if (buttons.length) place.append(h('p', { class: 'row field' }, buttons));
  } catch (error) {
    place.append(wrong(error));
  }
}

function badges(item) {
  const hints = item.annotations ?? {};
  const words = [
    hints.readOnlyHint ? ['reads only'] : hints.destructiveHint === false ? ['writes'] : ['may change or delete', 'bad'],
    hints.idempotentHint && ['may be repeated'],
    hints.openWorldHint !== false && ['reaches other systems'],
  ];
  return h('p', { class: 'badges' }, words.filter(Boolean).map(([word, kind]) => h('span', { class: kind }, word)));
}

const named = (item) => [item.title ?? item.annotations?.title, item.name].filter(Boolean);

function tool(item) {
  const inputs = argumentsForm(item.inputSchema);
  const call = (values) => {
    const headers = parameterHeaders(item.inputSchema, parse(values));
    return ['tools/call', { name: json(item.name), arguments: values }, { name: item.name, headers }];
  };
  return show(named(item)[0], named(item)[1] && h('p', {}, h('code', {}, item.name)), badges(item),
    paragraph(item.description), runner(inputs, 'Call', call, result),
    folded('Input schema', item.inputSchema), item.outputSchema && folded('Output schema', item.outputSchema));
}

function resource(item) {
  const request = () => ['resources/read', { uri: json(item.uri) }, { name: item.uri }];
  return show(named(item)[0], h('p', {}, h('code', {}, item.uri)), paragraph(item.description),
    item.mimeType && h('p', { class: 'quiet' }, item.mimeType), runner(undefined, 'Read', request, contents));
}

function template(item) {
  const at = { schema: { type: 'string', title: 'URI', description: 'Put values in the place of the names in braces.' }, name: 'uri', required: true };
  const uri = textField(at);
  uri.node.querySelector('textarea').value = item.uriTemplate;
  const request = (value) => ['resources/read', { uri: value }, { name: JSON.parse(value) }];
  return show(named(item)[0], h('p', {}, h('code', {}, item.uriTemplate)), paragraph(item.description),
    runner(uri, 'Read', request, contents));
}

function prompt(item) {
  const list = item.arguments ?? [];
  const properties = Object.fromEntries(list.map((one) =>
    [one.name, { type: 'string', title: one.title, description: one.description }]));
  const required = list.filter((one) => one.required).map((one) => one.name);
  const inputs = list.length ? argumentsForm({ properties, required }) : undefined;
  const request = (values) => ['prompts/get', { name: json(item.name), arguments: values ?? '{}' }, { name: item.name }];
  return show(named(item)[0], named(item)[1] && h('p', {}, h('code', {}, item.name)), paragraph(item.description),
    runner(inputs, 'Get', request, (got) => [paragraph(got.description),
      got.messages.map((one) => [h('h3', {}, one.role), content(one.content)])]));
}

// Requests and what came of them

/** A form with its button and the place of its result. */
function runner(inputs, verb, request, render) {
  const output = h('div');
  const stop = h('button', { type: 'button', hidden: true, onclick: () => running?.abort() }, 'Cancel');
  const go = h('button', { class: 'first' }, verb);
  let running;
  async function run(more = {}) {
    running?.abort();
    const mine = (running = new AbortController());
    const place = h('div');
    output.replaceChildren(place);
    try {
      const [method, params, options] = request(inputs?.read());
      stop.hidden = false;
      place.append(busy('Running ...'));
      const began = performance.now();
      const got = await ask(method, { ...params, ...more }, { ...options, signal: mine.signal, progress: (report) => place.replaceChildren(progress(report)) });
      if (got.resultType === 'input_required') place.replaceChildren(questions(got, run));
      else place.replaceChildren(...shown(got, render, performance.now() - began));
    } catch (error) {
      place.replaceChildren(mine.signal.aborted ? busy('Cancelled.') : wrong(error), refused(error) ?? '');
    } finally {
      if (running === mine) stop.hidden = true;
    }
  }
  const form = h('form', {
    onsubmit: (event) => { event.preventDefault(); run(); },
    // Enter runs, as in any form; a text of several lines has Shift
    onkeydown: (event) => {
      if (event.key === 'Enter' && !event.shiftKey && !event.isComposing && event.target.matches('textarea:not(.code)')) {
        event.preventDefault();
        form.requestSubmit();
      }
    },
  }, inputs?.node, h('p', { class: 'row' }, go, stop, inputs?.toggle));
  return h('div', {}, form, output);
}

/** Where to go when the server wants to know who this is. */
function refused({ status, data }) {
  if (status !== 401 && !data?.resource_metadata) return undefined;
  challenge = data;
  return h('p', {}, h('a', { href: '#key' }, 'Give credentials'));
}

function progress({ progress: value, total, message }) {
  const bar = h('progress', { max: total ?? 1, 'aria-label': 'Progress' });
  if (total) bar.value = value;
  return h('div', { role: 'status' }, bar, message && h('p', { class: 'quiet' }, message));
}

function shown(got, render, time) {
  const failed = got.isError === true;
  const head = h('div', { class: 'ends', role: 'status' },
    h('h3', {}, failed ? 'Refused' : 'Result', ' ', h('span', { class: 'quiet' }, `${Math.round(time)} ms`)),
    copier(pretty(got), 'the result as JSON'));
  return [head, ...[render(got)].flat(9).filter(Boolean), folded('Answer as JSON', got)];
}

function result(got) {
  const blocks = got.content ?? [];
  if (got.isError) {
    const text = blocks.map((one) => one.text ?? '').join('\n');
    return [wrong({ message: text || 'The tool failed and did not say why.' })];
  }
  if (!('structuredContent' in got)) return blocks.map(content);
  // the same is usually there as text, for models
  return [h('pre', { tabindex: 0 }, pretty(got.structuredContent)), blocks.filter((one) => one.type !== 'text').map(content)];
}

const contents = (got) => got.contents.map((one) => content({ type: 'resource', resource: one }));

const PICTURES = /^image\/(png|jpeg|gif|webp)$/;

function content(one) {
  if (one.type === 'text') return h('pre', { tabindex: 0 }, one.text);
  if (one.type === 'image' && PICTURES.test(one.mimeType)) {
    return h('img', { alt: 'Picture in the result', src: `data:${one.mimeType};base64,${one.data}` });
  }
  if (one.type === 'audio' && /^audio\/[a-z0-9.+-]+$/i.test(one.mimeType)) {
    return h('audio', { controls: true, src: `data:${one.mimeType};base64,${one.data}` });
  }
  if (one.type === 'resource_link') {
    return h('p', {}, `${one.title ?? one.name}: `, h('code', {}, one.uri));
  }
  if (one.type === 'resource') {
    const { uri, text, blob, mimeType } = one.resource;
    const inside = text !== undefined ? h('pre', { tabindex: 0 }, text)
      : PICTURES.test(mimeType) ? content({ type: 'image', mimeType, data: blob })
        : h('p', { class: 'quiet' }, `${mimeType ?? 'Data'}, about ${Math.round((blob?.length ?? 0) * 0.75)} bytes`);
    return h('div', {}, h('p', { class: 'quiet' }, h('code', {}, uri)), inside);
  }
  return h('pre', { tabindex: 0 }, pretty(one));
}

/** What the server asks before it goes on. */
function questions(got, again) {
  const asked = Object.entries(got.inputRequests ?? {});
  const parts = asked.map(([key, { method, params }]) => ({
    key, message: params?.message, form: method === 'elicitation/create' && argumentsForm(params.requestedSchema ?? {}),
  }));
  const answer = (action) => {
    const responses = Object.fromEntries(parts.map(({ key, form }) => [key, action === 'accept' && form
      ? { action, content: parse(form.read()) } : { action: form ? action : 'cancel' }]));
    again({ inputResponses: json(responses), ...('requestState' in got && { requestState: json(got.requestState) }) });
  };
  const button = (action, label) => h('button', { type: 'button', onclick: () => answer(action) }, label);
  const send = (event) => { event.preventDefault(); answer('accept'); };
  const form = h('form', { onsubmit: send, role: 'group', 'aria-label': 'Question of the server' },
    h('h3', {}, 'The server asks'), parts.map((part) => [paragraph(part.message), part.form && part.form.node]),
    h('p', { class: 'row' }, h('button', { class: 'first' }, 'Answer'), button('decline', 'Decline'), button('cancel', 'Cancel')));
  requestAnimationFrame(() => form.querySelector('input, select, textarea, button')?.focus());
  return form;
}

// Start

async function start(moved, failed) {
  main.replaceChildren(busy('Asking the server what it has ...'));
  try {
    const discovered = await ask('server/discover');
    server = { instructions: discovered.instructions, ...discovered._meta?.[PREFIX + 'serverInfo'] };
    for (const [kind, , capability, method, member] of GROUPS) {
      found[kind] = capability in discovered.capabilities ? await listed(method, member) : [];
    }
    challenge = undefined;
  } catch (error) {
    if (error.status !== 401) return main.replaceChildren(wrong(failed ?? error));
    challenge = error.data;
    document.body.classList.add('chosen');
    return credentials(failed ?? (credential ? error : undefined)).focus();
  }
  document.getElementById('title').textContent = server.title ?? server.name;
  document.getElementById('version').textContent = `${server.name} ${server.version}`;
  drawList();
  if (failed) return credentials(failed);
  if (location.hash === '#key' && credential) location.hash = '';
  else route(moved);
  return undefined;
}

addEventListener('hashchange', () => { if (server.name || location.hash === '#key') route(true); });
await signedIn().then(start, (error) => start(false, error));
