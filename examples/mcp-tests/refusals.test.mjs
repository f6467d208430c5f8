// Refused requests at each example server: what the client is told, and that nothing is done for it.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { authorizationServer, gateway, servers, tokenFor } from './places.mjs';

const MODERN = '2026-07-28';
const VERSIONS = [undefined, '2025-06-18', '2025-11-25', MODERN];
const envelope = { 'io.modelcontextprotocol/protocolVersion': MODERN, 'io.modelcontextprotocol/clientCapabilities': {} };
const callOf = (name, args = {}) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name, arguments: args, _meta: envelope },
});
const DELETE = callOf('delete_file', { name: 'notes.txt' });
const fieldsOf = ({ method, params }) => ({ 'mcp-protocol-version': MODERN, 'mcp-method': method, 'mcp-name': params.name });

let provider;
before(async () => (provider = await authorizationServer()));
after(() => provider?.stop());

for (const [at, start] of Object.entries(servers)) {
  describe(at, () => {
    let server;
    let reader;
    before(async () => {
      server = await start(provider.issuer);
      reader = await tokenFor(provider, server.url, 'files:read');
    });
    after(() => server?.stop());

    /** Sends a JSON-RPC message; `token` undefined sends none. */
    const post = (message, token, headers = {}) =>
      fetch(server.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...(token && { authorization: `Bearer ${token}` }),
          ...headers,
        },
        body: typeof message === 'string' ? message : JSON.stringify(message),
      });
    const list = async () => {
      const response = await post(callOf('list_files'), reader, fieldsOf(callOf('list_files')));
      return response.text();
    };

    test('the first refusal leads to the metadata, and they name this server', async () => {
      const response = await post(callOf('list_files'), undefined, fieldsOf(callOf('list_files')));
      assert.equal(response.status, 401);
      const challenge = response.headers.get('www-authenticate');
      assert.match(challenge, /^Bearer .*scope="files:read"/);
      assert.doesNotMatch(challenge, /error=/);
      const metadata = challenge.match(/resource_metadata="([^"]+)"/)[1];
      assert.equal(metadata, `${server.origin}/.well-known/oauth-protected-resource/mcp`);
      const document = await fetch(metadata);
      assert.equal(document.headers.get('access-control-allow-origin'), '*');
      const { resource, authorization_servers: issuers, scopes_supported: scopes } = await document.json();
      assert.deepEqual([resource, issuers], [server.url, [provider.issuer]]);
      assert.deepEqual(scopes.sort(), ['files:read', 'files:write']);
    });

    test('`portcullis resource` finds nothing wrong', async () => {
      const program = gateway(['resource', server.url]);
      assert.equal(await program.ended, 0, program.output);
    });

    test('a token for another resource is refused', async () => {
      const other = await tokenFor(provider, 'http://127.0.0.1:1/mcp', 'files:read files:write');
      const response = await post(callOf('list_files'), other, fieldsOf(callOf('list_files')));
      assert.equal(response.status, 401);
      assert.match(response.headers.get('www-authenticate'), /error="invalid_token".*resource_metadata="/);
    });

    test('a tool that needs more scope names all of it', async () => {
      const response = await post(DELETE, reader, fieldsOf(DELETE));
      assert.equal(response.status, 403);
      const challenge = response.headers.get('www-authenticate');
      assert.match(challenge, /error="insufficient_scope"/);
      assert.deepEqual(challenge.match(/ scope="([^"]+)"/)[1].split(' ').sort(), ['files:read', 'files:write']);
      assert.match(challenge, /resource_metadata="/);
    });

    test('a page of another origin is refused', async () => {
      for (const origin of ['https://evil.example', 'null']) {
        const response = await post(callOf('list_files'), reader, { ...fieldsOf(callOf('list_files')), origin });
        assert.equal(response.status, 403, origin);
      }
    });

    test('nothing is deleted without the scope, whatever the fields and the body say', async () => {
      const legacy = { ...DELETE, params: { ...DELETE.params, _meta: undefined } };
      const text = JSON.stringify(DELETE);
      const harmless = fieldsOf(callOf('list_files'));
      const bodies = {
        'a message of 2026-07-28': DELETE,
        'a message of before': legacy,
        'a batch': [callOf('list_files'), legacy],
        'two names': text.replace('"name":"delete_file"', '"name":"list_files","name":"delete_file"'),
        'two names, the other way': text.replace('"name":"delete_file"', '"name":"delete_file","name":"list_files"'),
        'two methods': text.replace('"method":"tools/call"', '"method":"ping","method":"tools/call"'),
        'an escaped name': text.replace('delete_file', 'delete\\u005ffile'),
        'a byte-order mark': `\ufeff${text}`,
      };
      const fields = {
        none: {},
        'of the tool': { 'mcp-method': 'tools/call', 'mcp-name': 'delete_file' },
        'of another tool': { 'mcp-method': harmless['mcp-method'], 'mcp-name': harmless['mcp-name'] },
        'of another tool, encoded': { 'mcp-method': 'tools/call', 'mcp-name': `=?base64?${btoa('list_files')}?=` },
        'of another method': { 'mcp-method': 'ping' },
        'of two tools': { 'mcp-method': 'tools/call', 'mcp-name': 'list_files, delete_file' },
      };
      for (const version of VERSIONS) {
        for (const [what, body] of Object.entries(bodies)) {
          for (const [which, named] of Object.entries(fields)) {
            for (const type of ['application/json', 'text/plain']) {
              const response = await post(body, reader, { ...named, 'content-type': type, ...(version && { 'mcp-protocol-version': version }) });
              const said = await response.text();
              assert.doesNotMatch(said, /deleted/, `${what}, fields ${which}, version ${version}, ${type}: ${response.status}`);
            }
          }
        }
      }
      assert.match(await list(), /notes\.txt/);
    });
  });
}
