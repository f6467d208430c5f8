// docs/mcp.md: its code is that of the examples, which the other tests run, and its commands name files that are there.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { ROOT, gateway } from './places.mjs';
import { Program, freePorts } from './programs.mjs';

const PAGE = readFileSync(join(ROOT, 'docs/mcp.md'), 'utf8');
const SHOWN = {
  rust: 'examples/mcp-rmcp/src/server.rs',
  js: 'examples/mcp-typescript/server.mjs',
  toml: 'examples/mcp-python/portcullis.toml',
};
const MORE_RULES = '"*_file"';

const blocks = (language) => [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, text]) => text);
const plain = (text) => text.split('\n').map((line) => line.trim()).filter((line) => line !== '').join('\n');

for (const [language, file] of Object.entries(SHOWN)) {
  test(`its ${language} is in ${file}`, () => {
    const source = plain(readFileSync(join(ROOT, file), 'utf8'));
    const shown = blocks(language).filter((block) => !block.includes(MORE_RULES));
    assert.notEqual(shown.length, 0);
    for (const block of shown) assert.ok(source.includes(plain(block)), `${file} does not have\n${block}`);
  });
}

test('its further rules are a configuration of the gateway', async () => {
  const [rules] = blocks('toml').filter((block) => block.includes(MORE_RULES));
  const example = await readFile(join(ROOT, SHOWN.toml), 'utf8');
  const [line] = example.match(/^tools = .*$/m);
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-mcp-docs-'));
  try {
    const config = join(folder, 'portcullis.toml');
    await writeFile(config, example.replace(line, rules));
    const program = gateway(['check-config', '--config', config]);
    assert.equal(await program.ended, 0, program.output);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('its authorization server says where it listens, without a key', async () => {
  const [port] = await freePorts(1);
  const [, folder] = PAGE.match(/cd (\S+oidc-provider) .*node server\.mjs \d+/);
  const program = new Program('node', ['server.mjs', String(port)], { cwd: join(ROOT, folder) });
  try {
    await program.line((line) => line.includes(`listens on http://127.0.0.1:${port}.`));
    assert.doesNotMatch(program.output, /PRIVATE KEY/);
  } finally {
    await program.stop();
  }
});

test('its commands name what is there', () => {
  const scripts = JSON.parse(readFileSync(join(ROOT, 'examples/mcp-typescript/package.json'), 'utf8')).scripts;
  const commands = blocks('console').join('').split('\n').filter((line) => line.startsWith('$ '));
  assert.ok(commands.length > 8, commands.join('\n'));
  for (const command of commands) {
    const folder = command.match(/\bcd ([\w/.-]+)/)?.[1] ?? '.';
    assert.ok(existsSync(join(ROOT, folder)), command);
    for (const [file] of command.matchAll(/[\w/-]+\.(mjs|py|sh|txt)\b/g)) {
      assert.ok(existsSync(join(ROOT, folder, file)), `${command}: ${file}`);
    }
    if (folder.endsWith('typescript')) {
      for (const [, script] of command.matchAll(/npm (?:run )?(start|client)\b/g)) assert.ok(scripts[script], command);
    }
  }
});

test('versions that it installs are those that are tested', () => {
  const tested = readFileSync(join(ROOT, 'xtask/src/proxies.rs'), 'utf8');
  for (const [version] of PAGE.matchAll(/\b[\w-]+==[\d.]+\b/g)) assert.ok(tested.includes(`"${version}"`), version);
});

test('its links lead to files', () => {
  for (const [, link] of PAGE.matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
    if (!link.includes('://')) assert.ok(existsSync(join(ROOT, 'docs', link)), link);
  }
});
