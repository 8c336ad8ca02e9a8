// What every client is asked to do with the fixture server. The scripts beside this one connect a client of one SDK
// and give it here; this file knows the fixtures and no SDK.

/**
 * Reads `--url URL` or `--stdio PROGRAM` (or both, for a program that connects to the URL), `--era modern|legacy`, `--asked yes`
 * where the server can ask on the stream of a call, and `--other URL --pid PROCESS` where there are two instances; or says how to call the script and ends.
 */
export function readArguments(script) {
  const given = {};
  const args = process.argv.slice(2);
  while (args.length > 0) {
    const name = args.shift();
    const value = args.shift();
    if (!['--url', '--stdio', '--era', '--asked', '--other', '--pid'].includes(name) || value === undefined) {
      usage(script);
    }
    given[name.slice(2)] = value;
  }
  if (given.url === undefined && given.stdio === undefined) {
    usage(script);
  }
  return given;
}

function usage(script) {
  console.error(`node ${script} [--url URL] [--stdio PROGRAM] [--era modern|legacy] [--asked yes] [--other URL --pid PROCESS]`);
  process.exit(2);
}

export function assert(condition, why) {
  if (!condition) {
    throw new Error(why);
  }
}

/** The text of a tool result's text blocks. */
export function textOf(result) {
  return (result.content ?? [])
    .filter((block) => block.type === 'text')
    .map((block) => block.text)
    .join('\n');
}

/** Runs one check and prints `ok NAME` or `not ok NAME: why`, the lines that `cargo xtask clients` counts. */
export async function check(name, run) {
  try {
    await run();
    console.log(`ok ${name}`);
  } catch (error) {
    process.exitCode = 1;
    // The why stays on one line: the next line is the next check.
    console.log(`not ok ${name}: ${String(error?.message ?? error).replaceAll('\n', ' ')}`);
  }
}

/**
 * The checks that hold for every client and every revision.
 *
 * `client` is an SDK client that is connected. `callTool(name, arguments, options)` hides that the SDKs place the
 * options differently.
 */
export async function commonChecks(prefix, client, callTool) {
  const named = (name) => `${prefix} ${name}`;

  await check(named('lists tools'), async () => {
    const { tools } = await client.listTools();
    const names = tools.map((tool) => tool.name);
    assert(names.includes('test_simple_text'), `test_simple_text is not among: ${names.join(', ')}`);
  });

  await check(named('calls a tool'), async () => {
    const result = await callTool('test_simple_text', {});
    assert(!result.isError, `the call failed: ${textOf(result)}`);
    assert(textOf(result).length > 0, 'the result has no text');
  });

  await check(named('calls a tool with arguments'), async () => {
    const result = await callTool('add', { a: 2, b: 3 });
    assert(!result.isError, `the call failed: ${textOf(result)}`);
    assert(/\b5\b/.test(textOf(result)), `2 + 3 gave: ${textOf(result)}`);
  });

  await check(named('is told which argument is wrong'), async () => {
    const result = await callTool('add', { a: 'x' });
    assert(result.isError === true, `the call succeeded: ${textOf(result)}`);
    assert(textOf(result).includes('/a'), `the message does not name /a: ${textOf(result)}`);
  });

  await check(named('receives progress'), async () => {
    const seen = [];
    const result = await callTool('test_tool_with_progress', {}, { onprogress: ({ progress }) => seen.push(progress) });
    assert(!result.isError, `the call failed: ${textOf(result)}`);
    assert(seen.length >= 3, `progress was reported ${seen.length} times: ${seen.join(', ')}`);
    assert(seen.every((value, index) => index === 0 || value > seen[index - 1]), `it does not grow: ${seen.join(', ')}`);
  });

  await check(named('reads a resource'), async () => {
    const { contents } = await client.readResource({ uri: 'test://static-text' });
    assert(contents[0]?.text?.length > 0, 'the resource has no text');
    assert(contents[0].mimeType === 'text/plain', `its type is ${contents[0].mimeType}`);
  });

  await check(named('reads a resource from a template'), async () => {
    const { resourceTemplates } = await client.listResourceTemplates();
    const templates = resourceTemplates.map((template) => template.uriTemplate);
    assert(templates.includes('test://template/{id}/data'), `the template is not among: ${templates.join(', ')}`);
    const { contents } = await client.readResource({ uri: 'test://template/123/data' });
    assert(contents[0]?.text?.includes('123'), `the content does not have 123: ${contents[0]?.text}`);
  });

  await check(named('gets a prompt'), async () => {
    const values = { arg1: 'first value', arg2: 'second value' };
    const { messages } = await client.getPrompt({ name: 'test_prompt_with_arguments', arguments: values });
    const text = messages.map((message) => message.content.text).join('\n');
    for (const value of Object.values(values)) {
      assert(text.includes(value), `the prompt does not have "${value}": ${text}`);
    }
  });

  await check(named('completes an argument'), async () => {
    const { completion } = await client.complete({
      ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' },
      argument: { name: 'arg1', value: 'test' },
    });
    assert(Array.isArray(completion.values), 'the completion has no values');
  });
}

/** How long a client that loses its patience waits, in milliseconds; nobody answers it. */
const PATIENCE = 2000;

/**
 * Questions that are answered, declined, and never answered; and tools that are tasks, for a client that can't do them. `answers`
 * has the action with which the client answers next: `accept`, `decline`, `cancel`, or `silent`.
 */
export async function askedChecks(prefix, answers, call) {
  const question = async (action, said) => {
    answers.action = action;
    const result = await call('test_streaming_elicitation', {});
    assert(!result.isError && textOf(result).includes(said), `it says: ${textOf(result)}`);
  };
  await check(`${prefix} a question is answered`, () => question('accept', 'Hello, Alice!'));
  await check(`${prefix} a question is declined`, () => question('decline', 'stranger'));
  await check(`${prefix} a question is closed`, () => question('cancel', 'stranger'));
  await check(`${prefix} a question that nobody answers is given up`, async () => {
    answers.action = 'silent';
    let result;
    // where the call was answered with the question, the client waits for its person and not for the server: it is its
    // application that loses its patience, and nothing of the call is left at the server
    const patience = new Promise((_, reject) => setTimeout(() => reject(new Error('timed out')), 2 * PATIENCE).unref());
    const held = setInterval(() => {}, PATIENCE);
    try {
      result = await Promise.race([call('test_streaming_elicitation', {}, { timeout: PATIENCE }), patience]);
    } catch (error) {
      assert(/timed? ?out/i.test(String(error)), `it says: ${error}`);
    } finally {
      clearInterval(held);
    }
    assert(result === undefined, `a result without an answer: ${result && textOf(result)}`);
    // the server has forgotten it: the next one is asked anew
    await question('accept', 'Hello, Alice!');
  });
  await check(`${prefix} a tool that can be a task has its result within the call`, async () => {
    const result = await call('count_slowly', { to: 2, step_ms: 10 });
    assert(textOf(result) === 'counted from 0 to 2', `it says: ${textOf(result)}`);
  });
  await check(`${prefix} a tool that is only a task says what the client lacks`, async () => {
    let said;
    try {
      said = textOf(await call('failing_job', {}));
    } catch (error) {
      said = String(error);
    }
    assert(said.includes('io.modelcontextprotocol/tasks'), `it says: ${said}`);
  });
}

/** The answer of a client to a question, by what `answers` says. */
export function answerOf(answers) {
  if (answers.action === 'silent') {
    return new Promise(() => {});
  }
  const content = answers.action === 'accept' ? { content: { name: 'Alice' } } : {};
  return { action: answers.action, ...content };
}

/** A revision with a handshake has no events: a server that has some neither says so there nor answers. */
export async function checkWithoutEvents(prefix, client, list) {
  await check(`${prefix} is told of no events`, async () => {
    const { events, extensions } = client.getServerCapabilities();
    assert(events === undefined && !('io.modelcontextprotocol/events' in (extensions ?? {})), JSON.stringify({ events, extensions }));
    const answer = await list().catch((error) => error);
    assert(answer.code === -32601, `events/list: ${answer} ${JSON.stringify(answer)}`);
  });
}
