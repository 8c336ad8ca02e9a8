// Forms from JSON Schemas. A field gives JSON text, or `undefined` for what is left out; whether
// that is right is for the server to say.

/** An element. What comes from the server only ever gets in as text. */
function h(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(9).filter((child) => child !== undefined && child !== false && child !== ''));
  return node;
}

let ids = 0;

// A schema can say in a few lines what would be a million fields: what is over gets no form.
const MOST = 1000;
const DEEPEST = 6;
let left = MOST;

/** What a field is, once references are followed and `null` is taken out of the alternatives. */
function resolve(schema, root, seen) {
  let nullable = false;
  while ((left -= 1) > 0) {
    if (schema === true || schema === undefined) return { schema: {}, nullable, seen };
    if (typeof schema.$ref === 'string') {
      const target = pointed(root, schema.$ref);
      if (!target || seen.includes(schema.$ref)) return { schema: { description: schema.description }, nullable, seen };
      seen = [...seen, schema.$ref];
      const { $ref, ...beside } = schema;
      schema = { ...target, ...beside };
      continue;
    }
    const word = schema.anyOf ? 'anyOf' : 'oneOf';
    const kinds = schema[word];
    if (Array.isArray(kinds)) {
      const others = kinds.filter((kind) => kind?.type !== 'null');
      nullable ||= others.length < kinds.length;
      const { [word]: _, ...beside } = schema;
      if (others.length === 1) {
        schema = { ...others[0], ...beside };
        continue;
      }
      schema = { ...beside, alternatives: others };
    }
    if (Array.isArray(schema.type)) {
      const types = schema.type.filter((type) => type !== 'null');
      nullable ||= types.length < schema.type.length;
      schema = { ...schema, type: types.length === 1 ? types[0] : undefined };
    }
    return { ...merged(schema, root, seen), nullable };
  }
  return { schema: {}, nullable, seen };
}

function pointed(root, reference) {
  if (!reference.startsWith('#')) return undefined;
  const steps = decodeURIComponent(reference.slice(1)).split('/').slice(1);
  return steps.reduce((at, step) => at?.[step.replaceAll('~1', '/').replaceAll('~0', '~')], root);
}

/** With what `allOf` says of an object's members. */
function merged(schema, root, seen) {
  if (!Array.isArray(schema.allOf)) return { schema, seen };
  const parts = schema.allOf.map((part) => resolve(part, root, seen));
  const all = [...parts.map((part) => part.schema), schema];
  const whole = {
    ...Object.assign({}, ...all),
    ...(all.some((part) => part.properties) && {
      type: 'object',
      properties: Object.assign({}, ...all.map((part) => part.properties)),
      required: all.flatMap((part) => part.required ?? []),
    }),
  };
  return { schema: whole, seen: [...new Set(parts.flatMap((part) => part.seen))] };
}

/** `{node, read}` of one value. */
function field(given, root, name, required, seen = [], depth = 0) {
  const { schema, nullable, seen: below } = resolve(given, root, seen);
  const at = { schema, root, name, required, nullable, seen: below, depth };
  const consts = schema.alternatives?.every((one) => one && 'const' in one);
  if ('const' in schema) return choice(at, [[schema.const]]);
  if (Array.isArray(schema.enum)) {
    return choice(at, schema.enum.map((value, index) => [value, schema.enumNames?.[index]]));
  }
  if (consts) return choice(at, schema.alternatives.map((one) => [one.const, one.title, one.description]));
  if (depth >= DEEPEST || left <= 0) return raw(at);
  const conditions = schema.properties && schema.alternatives?.every((one) => !one?.properties && !one?.$ref);
  if (schema.alternatives && !conditions) return alternatives(at);
  if (schema.type === 'boolean') return choice(at, [[true, 'yes'], [false, 'no']]);
  if (schema.type === 'string') return textField(at);
  if (schema.type === 'integer' || schema.type === 'number') return numberField(at);
  if (Object.keys(schema.properties ?? {}).length) return object(at);
  if (schema.type === 'array' && schema.items && !schema.prefixItems) return array(at);
  return raw(at);
}

/** A value of a schema as text. */
const plain = (value) => (typeof value === 'string' ? value : json(value));

/** What is said of a field beside its control. */
function described({ schema, required, nullable, name }) {
  const kind = [schema.type, schema.format, schema.deprecated && 'deprecated'].filter(Boolean).join(', ');
  const between = [
    // what only a type of the server's language says is no advice
    Number.isSafeInteger(schema.minimum) && `at least ${schema.minimum}`,
    Number.isSafeInteger(schema.maximum) && `at most ${schema.maximum}`,
    schema.pattern && `pattern ${schema.pattern}`,
    'default' in schema && `${plain(schema.default)} when left out`,
    nullable && required && 'null when left empty',
  ].filter(Boolean).join('; ');
  return {
    label: [schema.title && schema.title !== name ? `${schema.title} ` : '', h('code', {}, name), ' ',
      h('i', {}, required ? 'required' : 'optional', kind && `, ${kind}`)],
    hint: [schema.description, between && `${between[0].toUpperCase()}${between.slice(1)}.`]
      .filter(Boolean).join('\n'),
  };
}

/** A control under its label, with its hint. */
function labelled(at, control, read) {
  const { label, hint } = described(at);
  const id = `f${(ids += 1)}`;
  control.id = id;
  if (hint) control.setAttribute('aria-describedby', `${id}h`);
  const node = h('div', { class: 'field' }, h('label', { for: id }, label),
    hint && h('p', { class: 'hint', id: `${id}h` }, hint), control);
  // nothing written: `null` where it must be there and may be that
  return { node, read: () => read() ?? (at.required && at.nullable ? 'null' : undefined) };
}

function grouped(at, children, read) {
  const { label, hint } = described(at);
  const node = h('fieldset', {}, h('legend', {}, label), hint && h('p', { class: 'hint' }, hint), children);
  return { node, read: () => read() ?? (at.required && at.nullable ? 'null' : undefined) };
}

function textField(at) {
  const { schema, required, nullable } = at;
  const short = schema.format || schema.maxLength <= 60;
  const shown = { placeholder: plain(schema.examples?.[0] ?? ''), autocomplete: 'off', spellcheck: 'false' };
  const type = schema.format === 'date' ? 'date' : schema.format === 'password' ? 'password' : 'text';
  const control = short ? h('input', { type, ...shown }) : h('textarea', { rows: 1, ...shown });
  const empty = () => (required && !nullable ? '""' : undefined);
  return labelled(at, control, () => (control.value ? json(control.value) : empty()));
}

function numberField(at) {
  const control = h('input', {
    inputmode: Number.isSafeInteger(at.schema.minimum) && at.schema.minimum >= 0 ? 'numeric' : 'text',
    autocomplete: 'off', placeholder: plain(at.schema.examples?.[0] ?? ''),
  });
  // the digits as they are; what is no number is sent as text, so that the server names it
  return labelled(at, control, () => {
    const value = control.value.trim();
    return !value ? undefined : /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(value) ? value : json(value);
  });
}

function choice(at, values) {
  const control = h('select', {},
    (!at.required || at.nullable || values.length > 1) && h('option', { value: '' }, at.required ? 'choose ...' : ''),
    values.map(([value, title, description]) =>
      h('option', { value: json(value), title: description }, title ? `${title}` : plain(value))));
  return labelled(at, control, () => control.value || undefined);
}

function object(at) {
  const { schema, root, seen, depth, required } = at;
  const wanted = schema.required ?? [];
  const needed = ([name]) => (wanted.includes(name) ? 0 : 1);
  const members = Object.entries(schema.properties).sort((one, other) => needed(one) - needed(other));
  const parts = members.map(([name, part]) => [
    name, field(part, root, name, wanted.includes(name), seen, depth + 1)]);
  const read = () => {
    const found = parts.map(([name, part]) => [name, part.read()]).filter(([, value]) => value !== undefined);
    // an object that need not be there is there once something of it is
    const idle = found.every(([, value]) => value === '""');
    if (!required && idle) return undefined;
    return `{${found.map(([name, value]) => `${json(name)}:${value}`).join(',')}}`;
  };
  const nodes = parts.map(([, part]) => part.node);
  return depth === 0 ? { node: h('div', {}, nodes), read } : grouped(at, nodes, read);
}

function array(at) {
  const items = [];
  const list = h('div');
  const add = () => {
    left = MOST;
    const one = field(at.schema.items, at.root, `${at.name} ${items.length + 1}`, true, at.seen, at.depth + 1);
    const remove = () => {
      items.splice(items.indexOf(one), 1);
      row.remove();
      more.focus();
    };
    const row = h('div', { class: 'item' }, one.node,
      h('button', { type: 'button', class: 'small', onclick: remove }, 'Remove'));
    items.push(one);
    list.append(row);
    row.querySelector('input, select, textarea')?.focus();
  };
  const more = h('button', { type: 'button', class: 'small', onclick: add }, `Add to ${at.name}`);
  return grouped(at, [list, h('p', { class: 'field' }, more)], () => {
    const values = items.map((item) => item.read() ?? 'null');
    return values.length || (at.required && !at.nullable) ? `[${values.join(',')}]` : undefined;
  });
}

function alternatives(at) {
  const { schema, root, seen, depth, name } = at;
  const { alternatives: kinds, ...beside } = schema;
  const common = { ...beside, description: undefined, title: undefined };
  const of = (kind) => field({ allOf: [common, kind] }, root, name, true, seen, depth + 1);
  const place = h('div');
  let chosen;
  const titles = kinds.map((kind, index) => {
    const { schema: one } = resolve(kind, root, seen);
    return one.title ?? Object.keys(one.properties ?? {}).join(', ') ?? `form ${index + 1}`;
  });
  const select = h('select', {
    'aria-label': `Form of ${name}`,
    onchange: () => {
      left = MOST;
      chosen = select.value ? of(kinds[select.value]) : undefined;
      place.replaceChildren(...(chosen ? [chosen.node] : []));
    },
  }, h('option', { value: '' }, 'choose a form ...'),
  kinds.map((kind, index) => h('option', { value: index }, titles[index] || kind?.type || `form ${index + 1}`)));
  return grouped(at, [h('div', { class: 'field' }, select), place], () => chosen?.read());
}

/** JSON as it is, for what has no form. */
function raw(at) {
  const control = h('textarea', { class: 'code', rows: 2, placeholder: 'JSON', spellcheck: 'false' });
  return labelled(at, control, () => {
    const value = control.value.trim();
    if (value) check(value, at.name, control);
    return value || undefined;
  });
}

function check(value, name, control) {
  try {
    JSON.parse(value);
  } catch (error) {
    control.focus();
    throw new Refusal(`${name} is not JSON: ${error.message}`);
  }
}

/** The whole of a tool's arguments: a form, and the same as JSON. */
function argumentsForm(schema) {
  left = MOST;
  const form = field({ type: 'object', ...schema }, schema, 'arguments', true);
  const inFull = h('textarea', { class: 'code', rows: 6, spellcheck: 'false', 'aria-label': 'Arguments as JSON' });
  let asJson = false;
  const place = h('div', {}, form.node);
  const toggle = h('button', {
    type: 'button', class: 'small', 'aria-pressed': 'false',
    onclick: () => {
      asJson = !asJson;
      toggle.setAttribute('aria-pressed', asJson);
      if (asJson) inFull.value = JSON.stringify(parse(form.read() || '{}'), undefined, 2);
      place.replaceChildren(asJson ? h('div', { class: 'field' }, inFull) : form.node);
    },
  }, 'Write as JSON');
  const read = () => {
    if (!asJson) return form.read() || '{}';
    check(inFull.value, 'The text', inFull);
    return inFull.value;
  };
  return { node: place, toggle, read };
}
