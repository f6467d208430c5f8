// An MCP client with the TypeScript SDK 2: registers, logs in, calls a tool, and asks for more scope when it is told to.
//
//     npm run client -- http://127.0.0.1:8000/mcp

import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';

import { run } from './session.mjs';

const options = { versionNegotiation: { mode: 'auto' } };
await run({
  newClient: () => new Client({ name: 'example', version: '1.0.0' }, options),
  newTransport: (url, authProvider) => new StreamableHTTPClientTransport(url, { authProvider }),
  finish: (transport, parameters) => transport.finishAuth(parameters),
  UnauthorizedError,
});
