// What the pages share: talking to the host (MCP Apps 2026-01-26), and making elements. Data becomes
// text of elements and never markup, whatever is in it.
'use strict';

const app = (() => {
  let next = 1;
  const waiting = new Map();
  const send = message => parent.postMessage({ jsonrpc: '2.0', ...message }, '*');
  const notify = (method, params = {}) => send({ method, params });
  const ask = (method, params) => new Promise((resolve, reject) => {
    const id = next++;
    waiting.set(id, { resolve, reject });
    send({ id, method, params });
  });

  function theme(context) {
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    document.documentElement.dataset.theme = context?.theme ?? (dark ? 'dark' : 'light');
    if (context?.locale) locale = known(context.locale);
  }

  // a host or a browser may name its language in a form that is none, such as en-US@posix
  function known(language) {
    try {
      return Intl.getCanonicalLocales(language)[0];
    } catch {
      return undefined;
    }
  }

  let locale = known(navigator.language);
  let shown = '';
  function resized() {
    const { width, height } = document.documentElement.getBoundingClientRect();
    const size = `${Math.ceil(width)} ${Math.ceil(height)}`;
    if (size === shown) return;
    shown = size;
    notify('ui/notifications/size-changed', { width: Math.ceil(width), height: Math.ceil(height) });
  }

  /** Starts: `draw` is called with each result's structured content. */
  function start(name, draw) {
    const status = document.getElementById('status');
    const say = text => { status.textContent = text; status.hidden = !text; };
    const handle = {
      'ui/notifications/tool-result': result => {
        if (result?.isError || !result?.structuredContent) {
          const texts = (result?.content ?? []).filter(block => block.type === 'text');
          say(texts.map(block => block.text).join('\n') || 'There is nothing to show.');
          document.querySelector('main').hidden = true;
          return;
        }
        say('');
        document.querySelector('main').hidden = false;
        try {
          draw(result.structuredContent);
        } catch (error) {
          say(`This page can't show the result: ${error.message}`);
          throw error;
        }
      },
      'ui/notifications/tool-cancelled': () => say('The call was cancelled.'),
      'ui/notifications/host-context-changed': theme,
    };
    addEventListener('message', event => {
      // the host alone: a frame in this one could write too
      if (event.source !== parent || event.data?.jsonrpc !== '2.0') return;
      const { id, method, params, result, error } = event.data;
      if (method === undefined) {
        const question = waiting.get(id);
        waiting.delete(id);
        if (question) error ? question.reject(new Error(error.message)) : question.resolve(result);
        return;
      }
      if (id !== undefined) {
        const known = method === 'ui/resource-teardown' || method === 'ping';
        send(known ? { id, result: {} } : { id, error: { code: -32601, message: 'not served' } });
        return;
      }
      if (Object.hasOwn(handle, method)) handle[method](params);
    });
    new ResizeObserver(resized).observe(document.documentElement);
    theme();
    ask('ui/initialize', {
      protocolVersion: '2026-01-26',
      appInfo: { name, version: '1' },
      appCapabilities: {},
    }).then(host => {
      theme(host?.hostContext);
      notify('ui/notifications/initialized');
    }, reason => say(`The host refused: ${reason.message}`));
  }

  /** An element with attributes, and children that are texts or elements. */
  function element(name, attributes = {}, ...children) {
    const svg = ['svg', 'g', 'rect', 'line', 'path', 'text', 'title', 'circle'].includes(name);
    const made = svg ? document.createElementNS('http://www.w3.org/2000/svg', name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children.map(child => child instanceof Node ? child : String(child)));
    return made;
  }

  const replace = (id, ...children) => document.getElementById(id).replaceChildren(...children);
  const number = (value, digits = 0) => Number(value).toLocaleString(locale, { maximumFractionDigits: digits });
  const short = (text, most) => [...String(text)].length > most ? [...String(text)].slice(0, most - 1).join('') + '…' : String(text);

  // notes are written for models, with names of arguments as code
  const note = text => String(text ?? '').replaceAll('`', '');

  /** A text that may be long: its beginning, and all of it for those who open it. */
  const long = text => [...text].length <= 160 ? text
    : element('details', {}, element('summary', {}, short(text, 120)), text);

  /** A table that is sorted by its headings. Columns: `{ title, value, numeric, cell }`. */
  function table(caption, columns, rows) {
    let by = -1, down = false;
    const brief = columns.map(column => rows.every(row => String(column.value(row) ?? '').length <= 26));
    const body = element('tbody');
    const heads = columns.map((column, at) => {
      const button = element('button', { type: 'button' }, column.title);
      button.addEventListener('click', () => {
        [by, down] = by === at ? [at, !down] : [at, Boolean(column.numeric)];
        fill();
      });
      return element('th', { scope: 'col', class: column.numeric ? 'number' : '' }, button);
    });
    const order = (one, other) => {
      if (one === null || one === undefined) return other === null || other === undefined ? 0 : 1;
      if (other === null || other === undefined) return -1;
      const least = typeof one === 'number' && typeof other === 'number'
        ? one - other : String(one).localeCompare(String(other), locale, { numeric: true });
      return down ? -least : least;
    };
    function fill() {
      heads.forEach((head, at) => head.setAttribute('aria-sort', at !== by ? 'none' : down ? 'descending' : 'ascending'));
      const value = columns[by]?.value;
      const sorted = value ? [...rows].sort((one, other) => order(value(one), value(other))) : rows;
      body.replaceChildren(...sorted.map(row => element('tr', {}, ...columns.map(column => {
        const cell = column.cell ? column.cell(row) : long(String(column.value(row) ?? ''));
        return element('td', { class: column.numeric ? 'number' : brief[columns.indexOf(column)] ? 'brief' : '' }, cell);
      }))));
    }
    fill();
    const made = element('table', {}, element('caption', {}, caption), element('thead', {}, element('tr', {}, ...heads)), body);
    return element('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption }, made);
  }

  return { start, element, replace, number, short, long, note, table };
})();
