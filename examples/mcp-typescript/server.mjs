// An MCP server with the TypeScript SDK on Express, guarded by Portcullis.
//
//     npm start
//
// ISSUER names your authorization server, PORT another port, RESOURCE the URL of the server as clients know it.

import { createMcpExpressApp } from '@modelcontextprotocol/express';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import express from 'express';
import { mcp } from 'portcullis';

import { fileServer } from './files.mjs';

const { ISSUER: issuer = 'http://127.0.0.1:3001', PORT: port = '8000' } = process.env;
const { RESOURCE: resource = `http://127.0.0.1:${port}/mcp` } = process.env;
const handle = toNodeHandler(createMcpHandler(fileServer));
const server = createMcpExpressApp().all('/mcp', (req, res) => handle(req, res, req.body));
const app = express();

const { router, guard } = mcp({
  resource,
  issuer,
  name: 'Files',
  tools: [{ name: 'delete_*', scope: 'files:write' }],
});
app.use(router);
app.use('/mcp', guard({ scope: 'files:read' }));

// Behind the router: `createMcpExpressApp` refuses pages of other origins, which may read the metadata.
app.use(server);
app.listen(Number(port), '127.0.0.1', () => console.log(`${resource} is ready`));
