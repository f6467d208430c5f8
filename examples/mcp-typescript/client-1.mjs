// The same client with the TypeScript SDK 1, for MCP up to 2025-11-25.
//
//     node client-1.mjs http://127.0.0.1:8000/mcp

import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { run } from './session.mjs';

await run({
  newClient: () => new Client({ name: 'example', version: '1.0.0' }),
  newTransport: (url, authProvider) => new StreamableHTTPClientTransport(url, { authProvider }),
  finish: (transport, parameters) => transport.finishAuth(parameters.get('code')),
  UnauthorizedError,
});
