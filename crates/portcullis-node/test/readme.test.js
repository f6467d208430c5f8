'use strict';

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs/promises');
const net = require('node:net');
const path = require('node:path');
const { test } = require('node:test');
const { promisify } = require('node:util');
const vm = require('node:vm');

const express = require('express');
const portcullis = require('portcullis');

const { DESCRIPTION, DPOP, ENDPOINT, MCP, VERIFICATION } = require('../lib/library.js');
const { knownOptions } = require('../native.js');
const { run: runScript } = require('./support/child.js');
const { newKey } = require('./support/tokens.js');

const ROOT = path.join(__dirname, '..');
const DOCUMENTS = ['README.md', path.join('docs', 'migrating.md'), path.join('..', '..', 'README.md'), path.join('..', '..', 'docs', 'sender-constrained.md')];

/** Modules for blocks that require files of other machines. */
const STAND_INS = {
  // The newest jose cannot be required by the oldest Node.
  jose: require('jose5'),
  'node:fs': { readFileSync: () => 'a certificate' },
};

/** Names that blocks may use without a definition. */
const AROUND = {
  fetch: async () => Response.json({}),
  require: (name) => STAND_INS[name] ?? require(name),
  jwksService: portcullis.getSimpleJwksService('https://myoauthserver.com/auth/jwks'),
  // Stands for keys of an issuer that can be reached.
  login: portcullis.localKeys(newKey().jwk),
  secure: portcullis.secure,
  orders: (req, res) => res.json([]),
  redis: { get: async () => null, set: async () => {} },
};

/** Codes that no guard of JavaScript gives: an extractor without its layer, no runtime. */
const RUST_ALONE = ['missing_layer', 'no_runtime', 'mistaken_rule'];

process.env.SECRET = 'ab'.repeat(32);
portcullis.setLogger(null);

for (const document of DOCUMENTS) {
  test(`${document}: each js block runs`, async (t) => {
    for (const block of await blocksOf(document, 'js')) {
      await t.test(`line ${block.line}`, () => run(block, document));
    }
    portcullis.setLogger(null);
  });
}

test('the guard of the first example of README.md checks issuer and audience: no warning says otherwise', async (t) => {
  const [{ code }] = await blocksOf('README.md', 'js');
  // The warning is logged once for a process: the next guard gives it if the first one does not.
  const script = `
    const { localKeys, setLogger } = require('portcullis');
    setLogger({ warn: (line) => { console.log(line); process.exit(); } });
    { ${code.replace('3000', '0')} }
    require('portcullis').secure(localKeys(Buffer.alloc(32, 1)), { algorithms: 'HS256', audience: 'api' });
  `;
  assert.match((await runScript(t, script)).stdout, /checks_issuer=false checks_audience=true/);
});

test('each ts block compiles', async () => {
  const directory = await fs.mkdtemp(path.join(__dirname, '.blocks-'));
  try {
    for (const document of DOCUMENTS) {
      for (const { code, line } of await blocksOf(document, 'ts')) {
        await fs.writeFile(path.join(directory, `${path.basename(document)}-${line}.mts`), code);
      }
    }
    const config = { extends: '../types/tsconfig.json', include: ['*.mts'] };
    await fs.writeFile(path.join(directory, 'tsconfig.json'), JSON.stringify(config));
    await compile(directory);
  } finally {
    await fs.rm(directory, { recursive: true });
  }
});

test('each link within README.md leads to one heading', async () => {
  const text = (await textOf('README.md')).replace(/^```[^]*?^```/gm, '');
  const anchors = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading.toLowerCase().replace(/[^\w\s-]/g, '').replaceAll(' ', '-'));
  const links = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor);
  assert.deepEqual(anchors.filter((anchor, index) => anchors.indexOf(anchor) !== index), []);
  assert.deepEqual(links.filter((anchor) => !anchors.includes(anchor)), []);
});

test('README.md names the version that requests say', async () => {
  const { version } = require('../package.json');
  assert.ok((await textOf('README.md')).includes(`User-Agent: portcullis/${version}\``));
});

test('README.md names the options that there are, and their defaults', async () => {
  const rows = sectionOf(await textOf('README.md'), 'Options of `secure`').matchAll(/^\| `(\w+)` \| (.+?) \|/gm);
  const named = new Map([...rows].map(([, name, told]) => [name, told]));
  assert.deepEqual([...named.keys()].sort(), [...VERIFICATION, ...ENDPOINT].sort());
  const { issuer, endpoint } = JSON.parse(knownOptions());
  const plain = Object.entries({ ...issuer.defaults, ...endpoint.defaults }).filter(([, value]) => /^(number|boolean)$/.test(typeof value));
  assert.deepEqual(plain.map(([name, value]) => [name, String(value)]), plain.map(([name]) => [name, named.get(name).replaceAll('`', '')]));
});

test('README.md names the members of a description, the rules of an MCP server, and the options for proofs', async () => {
  const text = await textOf('README.md');
  const named = (heading) => [...sectionOf(text, heading).matchAll(/^\| (`.+?`) \|/gm)].flatMap(([, names]) => names.match(/\w+/g));
  assert.deepEqual(named('Resources').sort(), [...DESCRIPTION, 'introspection', 'issuer', 'issuers', 'jwks'].sort());
  assert.deepEqual(named('MCP servers').sort(), [...MCP].sort());
  assert.deepEqual(named('Sender-constrained tokens').sort(), [...DPOP].sort());
});

test('README.md tells at which door each option is', async () => {
  const rows = sectionOf(await textOf('README.md'), 'At which door').match(/^\| .+ \|$/gm).slice(1);
  const row = (start) => rows.find((row) => row.startsWith(`| ${start}`)).split(' | ');
  const named = (start) => row(start)[0].match(/(?<=`)\w+(?=`)/g).sort();
  const { issuer, endpoint, resource, mcp, dpop } = JSON.parse(knownOptions());
  const all = ({ defaults, notOffered }) => Object.keys({ ...defaults, ...notOffered });
  const ofIssuer = all(issuer).filter((name) => !['maxTokenBytes', 'tokenCache'].includes(name));
  assert.deepEqual(named('rules for tokens'), ofIssuer.sort());
  assert.deepEqual(named('rules for endpoints'), all(endpoint).sort());
  assert.deepEqual(named('description of a resource'), all(resource).filter((name) => name !== 'mcp').sort());
  assert.deepEqual(named('rules of an MCP server'), all(mcp).sort());
  assert.deepEqual(named('DPoP proofs'), all(dpop).sort());
  // Each name of a column is in the sources or the documentation of that door.
  const [rust, types, gateway] = [await rustSources(), await textOf('index.d.ts'), await textOf('../../docs/gateway.md')];
  for (const [what, ofRust, ofNode, ofGateway] of rows.slice(1).map((row) => row.slice(2, -2).split(' | '))) {
    for (const [name] of ofRust?.matchAll(/(?<=`)[A-Z]\w+(::\w+)?/g) ?? []) {
      const [item, method] = name.split('::');
      assert.match(rust, new RegExp(`(struct|impl) ${item}\\b`), what);
      assert.ok(method === undefined || new RegExp(`pub (async )?fn ${method}\\b`).test(rust), name);
    }
    for (const name of ofNode?.match(/(?<=`)(guard\.)?\w+/g) ?? []) {
      assert.match(types, new RegExp(`\\b${name.replace('guard.', '')}\\b`), name);
    }
    for (const name of ofGateway?.match(/(?<=`)[[\w.\]]+(?=`)/g) ?? []) {
      assert.ok(gateway.includes(name), name);
    }
  }
});

async function rustSources() {
  const folder = path.join(ROOT, '..', 'portcullis', 'src');
  const files = (await fs.readdir(folder, { recursive: true })).filter((file) => file.endsWith('.rs'));
  return (await Promise.all(files.map((file) => fs.readFile(path.join(folder, file), 'utf8')))).join('\n');
}

test('the types name the options that there are', async () => {
  const types = await textOf('index.d.ts');
  const membersOf = (name) => {
    const [, body] = new RegExp(`^  interface ${name}(?:<.+>)? \\{$([^]*?)^  \\}$`, 'm').exec(types);
    return [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, member]) => member).sort();
  };
  const { claim, issuer, endpoint } = JSON.parse(knownOptions());
  assert.deepEqual(membersOf('VerificationOptions'), [...VERIFICATION].sort());
  assert.deepEqual(membersOf('EndpointOptions'), [...ENDPOINT].sort());
  assert.deepEqual(membersOf('Claim'), [...claim].sort());
  assert.deepEqual(['mcp', ...membersOf('ResourceDescription')].sort(), [...DESCRIPTION].sort());
  assert.deepEqual(membersOf('McpRules'), [...MCP].sort());
  assert.deepEqual(membersOf('DpopOptions'), [...DPOP].sort());
  // No option belongs to both.
  assert.deepEqual(Object.keys(issuer.defaults).filter((name) => ENDPOINT.includes(name)), []);
  // Each field of the library that is not offered has a reason.
  const notOffered = Object.entries({ ...issuer.notOffered, ...endpoint.notOffered });
  assert.deepEqual(notOffered.map(([name, reason]) => [name, typeof reason]), [
    ['maxTokenBytes', 'string'],
    ['reportOnly', 'string'],
  ]);
});

test('README.md and the types name the codes that a guard can give', async () => {
  const rows = (await textOf('../portcullis/src/refusal/mod.rs')).matchAll(/^\/\/! \| `(\w+)` \|/gm);
  const codes = [...rows].map(([, code]) => code).filter((code) => !RUST_ALONE.includes(code)).sort();
  const table = sectionOf(await textOf('README.md'), 'Errors').match(/^\| .+ \|$/gm).join('\n');
  const union = /type RefusalCode =([^;]+);/.exec(await textOf('index.d.ts'))[1];
  assert.deepEqual(table.match(/(?<=`)[a-z][a-z0-9_]+(?=`)/g).sort(), codes);
  assert.deepEqual(union.match(/(?<=')\w+(?=')/g).sort(), codes);
});

/** Runs a block; its server, if any, has to refuse a request without a token. */
async function run({ code, line }, document) {
  const names = ['app', 'router', ...Object.keys(AROUND)];
  const values = [express(), express.Router(), ...Object.values(AROUND)];
  // The inner braces let a block declare the outer names again.
  const source = `(async (${names}) => {{\n${code}\n}})`;
  const started = await listening(() => new vm.Script(source, { filename: document, lineOffset: line - 1 })
    .runInThisContext()(...values));
  for (const server of started) {
    const { status } = await fetch(`http://127.0.0.1:${server.address().port}/`);
    server.close();
    assert.equal(status, 401);
  }
}

/** Runs an action and returns the servers that it has started, on free ports. */
async function listening(act) {
  const started = [];
  const { listen } = net.Server.prototype;
  net.Server.prototype.listen = function listenAnywhere() {
    started.push(this);
    return listen.call(this, 0, '127.0.0.1');
  };
  try {
    await act();
  } finally {
    net.Server.prototype.listen = listen;
  }
  await Promise.all(started.map((server) => server.listening || new Promise((done) => server.once('listening', done))));
  return started;
}

/** The blocks of a language with their first lines. */
async function blocksOf(document, language) {
  const text = await textOf(document);
  const found = text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'));
  return [...found].map(({ 1: code, index }) => ({ code, line: text.slice(0, index).split('\n').length }));
}

async function compile(directory) {
  const tsc = require.resolve('typescript/bin/tsc');
  await promisify(execFile)(process.execPath, [tsc, '--project', directory]).catch(({ stdout }) => assert.fail(stdout));
}

function sectionOf(text, heading) {
  return text.split(`\n## ${heading}\n`)[1].split('\n## ')[0];
}

function textOf(file) {
  return fs.readFile(path.join(ROOT, file), 'utf8');
}
