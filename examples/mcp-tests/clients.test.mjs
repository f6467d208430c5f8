// Each real client at each example server: it finds the authorization server by the first refusal, registers, logs in, calls
// a tool, is told that another one needs more scope, logs in for that, and calls it.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { authorizationServer, clients, servers } from './places.mjs';
import { use } from './user.mjs';

/** TypeScript SDK 1 speaks revisions without `Mcp-Name`, by which Caddy's forward-auth would know the tool. */
const REFUSED = new Set(['TypeScript SDK 1 at FastMCP behind the gateway']);

let provider;
before(async () => (provider = await authorizationServer()));
after(() => provider?.stop());

for (const [at, start] of Object.entries(servers)) {
  describe(at, () => {
    let server;
    before(async () => (server = await start(provider.issuer)));
    after(() => server?.stop());

    for (const [name, client] of Object.entries(clients)) {
      test(`${name} at ${at}`, async () => {
        const program = client(server.url);
        const { code, scopes, lines } = await use(program);
        const said = `${program.output}\n--- the server:\n${server.output()}`;
        if (REFUSED.has(`${name} at ${at}`)) {
          assert.notEqual(code, 0, said);
          assert.match(program.output, /MCP-Protocol-Version|Mcp-Method/i, said);
          return;
        }
        assert.equal(code, 0, said);
        assert.deepEqual(scopes, ['files:read', 'files:read files:write'], said);
        assert.equal(lines[0], 'connected', said);
        assert.match(lines[1], /^list_files: .*notes\.txt$/, said);
        assert.match(lines[2], /^delete_file: (deleted|there is no) draft\.txt$/, said);
      });
    }
  });
}
