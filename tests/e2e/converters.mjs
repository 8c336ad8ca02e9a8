// What clients make of the tools of the deployable server: every tool goes through the converters that applications
// use for the APIs of models, and what comes out is checked against the published rules of these APIs. A tool that one
// of them refuses fails every request of such a client.

import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createGoogleGenerativeAI as createEarlier } from 'ai-sdk-google-2';
import { GoogleGenAI, mcpToTool } from '@google/genai';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { mcpToFunctionTool } from '@openai/agents-core';

import { assert, check } from './checks.mjs';

const [program] = process.argv.slice(2);
const TOOLKITS =
  'hello,catalog,database,crm,inventory,sql,knowledge,contracts,weather,company,fetch,web,github,files';
const env = {
  MCPFN_TOOLKITS: TOOLKITS,
  MCPFN_WEATHER_API_KEY: 'key',
  MCPFN_COMPANY_API_KEY: 'key',
  MCPFN_SEARCH_API_KEY: 'key',
  MCPFN_GITHUB_TOKEN: 'token',
  MCPFN_FILES_ROOT: process.cwd(),
  MCPFN_FILES_WRITABLE: 'on',
};
const client = new Client({ name: 'mcpfn-converters', version: '0.0.0' }, {});
await client.connect(new StdioClientTransport({ command: program, args: ['--stdio'], env, stderr: 'ignore' }));
const { tools } = await client.listTools();

// The fields of `Schema` of Google's Generative Language API; any other name is answered with 400.
const GOOGLE = new Set(
  `type format title description nullable enum maxItems minItems properties required minProperties maxProperties
   minLength maxLength pattern example anyOf propertyOrdering default items minimum maximum`.split(/\s+/),
);
// Annotations, which no API of these is known to refuse within JSON Schema.
const annotation = (key) => key.startsWith('x-');

/** The first rule of Google's that a converted schema breaks. */
function refusedByGoogle(schema, path = '') {
  const of = (what) => `${path || '/'}: ${what}`;
  if (typeof schema !== 'object' || schema === null) return of('no schema');
  const unknown = Object.keys(schema).find((key) => !GOOGLE.has(key) && !annotation(key));
  if (unknown) return of(`unknown field ${unknown}`);
  if (schema.anyOf && schema.type) return of('a type beside anyOf');
  if (!schema.anyOf && typeof schema.type !== 'string') return of(`the type is ${JSON.stringify(schema.type)}`);
  const type = schema.type?.toLowerCase();
  if (type === 'null') return of('null is no type');
  if (schema.default === null) return of('null is no default');
  if (schema.enum && (type !== 'string' || schema.enum.some((value) => typeof value !== 'string' || value === '')))
    return of('an enum of other than texts');
  if (type === 'array' && !schema.items) return of('an array without items');
  if (type !== 'array' && schema.items) return of('items without an array');
  const required = (schema.required ?? []).find((name) => !(name in (schema.properties ?? {})));
  if (required) return of(`${required} is required and no property`);
  for (const one of schema.anyOf ?? []) {
    const refused = one.type?.toLowerCase() === 'array' ? of('an array in a union') : refusedByGoogle(one, path);
    if (refused) return refused;
  }
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const refused = refusedByGoogle(property, `${path}/${name}`);
    if (refused) return refused;
  }
  return schema.items ? refusedByGoogle(schema.items, `${path}/items`) : undefined;
}

/** What does not go into a converter's `Schema` but is JSON Schema that Google takes as it is. */
const asJsonSchema = (schema) =>
  JSON.parse(JSON.stringify(schema, (key, value) => (key === 'additionalProperties' ? undefined : value)));

/** What the body of a request to Google says about tools, as the given client writes it. */
async function declared(create) {
  let body;
  const google = create({
    apiKey: 'key',
    fetch: async (_url, { body: sent }) => {
      body = JSON.parse(sent);
      throw new Error('nothing is sent');
    },
  });
  const converted = tools.map(({ name, description, inputSchema }) => ({
    type: 'function',
    name,
    description,
    inputSchema,
  }));
  const prompt = [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }];
  await google('gemini-2.5-flash').doGenerate({ prompt, tools: converted }).catch((error) => {
    assert(body, error.message);
  });
  const written = [body.tools].flat().flatMap((tool) => tool.functionDeclarations);
  return new Map(written.map((tool) => [tool.name, tool.parametersJsonSchema ?? tool.parameters]));
}

function all(refused) {
  const found = tools.flatMap((tool) => {
    const why = refused(tool);
    return why ? [`${tool.name} ${why}`] : [];
  });
  assert(found.length === 0, `${found.length} of ${tools.length} tools are refused:\n${found.join('\n')}`);
}

await check('converters: the server has all its tools', async () => {
  assert(tools.length >= 33, `${tools.length} tools`);
});
for (const [name, create] of [
  ['@ai-sdk/google', createGoogleGenerativeAI],
  ['@ai-sdk/google 2', createEarlier],
]) {
  await check(`converters: ${name}`, async () => {
    const converted = await declared(create);
    all(({ name: tool, inputSchema }) => {
      const schema = converted.get(tool);
      // an object without properties is left out, as the API wants it
      if (schema === undefined && Object.keys(inputSchema.properties).length === 0) return undefined;
      return refusedByGoogle(asJsonSchema(schema));
    });
  });
}
await check('converters: @google/genai, as MCP tools', async () => {
  const listed = { listTools: async () => ({ tools }), callTool: async () => ({}) };
  const { functionDeclarations } = await mcpToTool(listed, {}).tool();
  const converted = new Map(functionDeclarations.map((tool) => [tool.name, tool.parametersJsonSchema]));
  all(({ name }) => refusedByGoogle(asJsonSchema(converted.get(name))));
});
await check('converters: @google/genai, as declarations', async () => {
  let body;
  globalThis.fetch = async (_url, { body: sent }) => {
    body = JSON.parse(sent);
    throw new Error('nothing is sent');
  };
  const ai = new GoogleGenAI({ apiKey: 'key' });
  const declarations = tools.map(({ name, description, inputSchema }) => ({
    name,
    description,
    parameters: structuredClone(inputSchema),
  }));
  const config = { tools: [{ functionDeclarations: declarations }] };
  await ai.models.generateContent({ model: 'gemini-2.5-flash', contents: 'hello', config }).catch((error) => {
    assert(body, error.message);
  });
  const converted = new Map(body.tools[0].functionDeclarations.map((tool) => [tool.name, tool.parameters]));
  all(({ name }) => refusedByGoogle(asJsonSchema(converted.get(name))));
});
await check('converters: @openai/agents-core, strict', async () => {
  const warnings = [];
  const [warn, error] = [console.warn, console.error];
  console.warn = console.error = (...said) => warnings.push(said.join(' '));
  try {
    all((tool) => {
      const converted = mcpToFunctionTool(tool, { name: 'mcpfn' }, true);
      return converted.strict ? refusedByStrict(converted.parameters) : 'can not be strict';
    });
  } finally {
    [console.warn, console.error] = [warn, error];
  }
});

/** The rules of OpenAI's strict function schemas. */
function refusedByStrict(schema, path = '') {
  const of = (what) => `${path || '/'}: ${what}`;
  const refused = ['oneOf', 'allOf', 'not', 'if', 'dependentSchemas', 'patternProperties', '$ref', 'prefixItems'];
  const keyword = refused.find((one) => one in schema);
  if (keyword) return of(keyword);
  if (!schema.type && !schema.anyOf && !schema.enum) return of('no type');
  const kinds = [schema.type].flat();
  if (kinds.includes('object')) {
    if (schema.additionalProperties !== false) return of('additionalProperties is not false');
    const optional = Object.keys(schema.properties ?? {}).find((name) => !(schema.required ?? []).includes(name));
    if (optional) return of(`${optional} is not required`);
  }
  if (kinds.includes('array') && !schema.items) return of('an array without items');
  const below = [
    ...Object.entries(schema.properties ?? {}).map(([name, one]) => [`${path}/${name}`, one]),
    ...(schema.items ? [[`${path}/items`, schema.items]] : []),
    ...(schema.anyOf ?? []).map((one) => [path, one]),
  ];
  for (const [place, one] of below) {
    const found = refusedByStrict(one, place);
    if (found) return found;
  }
  return undefined;
}

await check('converters: the rules of Claude and VS Code', async () => {
  const walk = (schema, path) => {
    for (const [name, one] of Object.entries(schema.properties ?? {})) {
      if (!/^[a-zA-Z0-9_.-]{1,64}$/.test(name)) return `${path}: the name ${name}`;
      const found = walk(one, `${path}/${name}`);
      if (found) return found;
    }
    // VS Code: "tool parameters array type must have items"
    if ([schema.type].flat().includes('array') && !schema.items) return `${path}: an array without items`;
    return schema.items ? walk(schema.items, `${path}/items`) : undefined;
  };
  all(({ name, inputSchema }) => {
    if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name)) return 'has a name that is refused';
    if (inputSchema.type !== 'object') return 'has no object';
    const top = ['anyOf', 'oneOf', 'allOf'].find((one) => one in inputSchema);
    return top ? `${top} at the top` : walk(inputSchema, '');
  });
});
console.log(`converters: ${tools.length} tools through 4 converters and 3 sets of rules`);
await client.close();
