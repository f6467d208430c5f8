// The guard is transparent: with a good token, each check of the MCP conformance suite has the same outcome at a guarded server as
// at the same server unguarded, outcomes of failed checks included.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { CONFORMANCE_NODE, authorizationServer, conformance, tokenFor } from './places.mjs';
import { Program, listening } from './programs.mjs';

/** The suite's sets of scenarios, by revision of MCP. */
const SUITES = [['--suite', 'all', '--spec-version', '2025-11-25'], ['--suite', 'all', '--spec-version', '2026-07-28']];

/** At the least so many checks succeed: that a suite ran at all. */
const AT_LEAST = { everything: 50, rmcp: 40 };

const skip = existsSync(CONFORMANCE_NODE) ? false : 'there is no newer Node for this platform';

let provider;
before(async () => (provider = await authorizationServer()));
after(() => provider?.stop());

for (const [name, start] of Object.entries(conformance)) {
  describe(name, { skip }, () => {
    for (const suite of SUITES) {
      test(suite.at(-1), async () => {
        const [unguarded, guarded] = await Promise.all([outcomes(start, 'unguarded', suite), outcomes(start, 'guarded', suite)]);
        assert.deepEqual(guarded, unguarded);
        const succeeded = unguarded.filter((line) => line.endsWith(' SUCCESS')).length;
        assert.ok(succeeded >= AT_LEAST[name], `only ${succeeded} checks succeeded:\n${unguarded.join('\n')}`);
      });
    }
  });
}

/** `scenario: check OUTCOME`, sorted, of all checks against one server. */
async function outcomes(start, how, suite) {
  const door = await Door.open();
  const server = await start(how, { issuer: provider.issuer, resource: door.url });
  const results = await mkdtemp(join(tmpdir(), 'portcullis-conformance-'));
  try {
    await door.leadTo(server.origin);
    const cli = new URL('node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url).pathname;
    const program = new Program(CONFORMANCE_NODE, [cli, 'server', '--url', door.url, '--output-dir', results, ...suite]);
    await program.ended;
    const lines = [];
    for (const scenario of await readdir(results)) {
      const checks = JSON.parse(await readFile(join(results, scenario, 'checks.json'), 'utf8'));
      const named = scenario.replace(/^server-|-\d{4}-\d\d-\d\dT.*$/g, '');
      lines.push(...checks.map(({ id, status }) => `${named}: ${id} ${status}`));
    }
    assert.notEqual(lines.length, 0, program.output);
    return lines.sort();
  } finally {
    await Promise.all([server.stop(), door.close(), rm(results, { recursive: true })]);
  }
}

/** The URL by which the suite knows a server: a proxy that adds a token, since the suite has none. */
class Door {
  #server;
  #origin;
  #token;

  static async open() {
    const door = new Door();
    door.#server = await listening(createServer((incoming, outgoing) => door.#pass(incoming, outgoing)));
    door.url = `http://127.0.0.1:${door.#server.address().port}/mcp`;
    return door;
  }

  /** Passes requests to this server, with a token for this door. */
  async leadTo(origin) {
    this.#token = await tokenFor(provider, this.url, 'files:read files:write');
    this.#origin = origin;
  }

  close() {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(incoming, outgoing) {
    const { method, url, rawHeaders } = incoming;
    const headers = [...rawHeaders, 'Authorization', `Bearer ${this.#token}`];
    const passed = request(`${this.#origin}${url}`, { method, headers }, (response) => {
      outgoing.writeHead(response.statusCode, response.rawHeaders);
      response.pipe(outgoing).on('close', () => response.destroy());
    });
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  }
}
