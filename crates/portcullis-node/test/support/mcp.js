'use strict';

/** The scope and the client that a tool sees. */
const seen = (authInfo) => ({ content: [{ type: 'text', text: `${authInfo?.clientId} ${authInfo?.scopes}` }] });

const TOOLS = ['list_files', 'delete_file'];

/** Handlers of Express that serve an MCP server of each version of the SDK, without sessions. */
const SERVERS = {
  '1.x': () => {
    const { McpServer } = require('@modelcontextprotocol/sdk/server/mcp.js');
    const { StreamableHTTPServerTransport } = require('@modelcontextprotocol/sdk/server/streamableHttp.js');
    return handler(McpServer, StreamableHTTPServerTransport, (extra) => extra.authInfo);
  },
  '2.x': () => {
    const { McpServer } = require('@modelcontextprotocol/server');
    const { NodeStreamableHTTPServerTransport } = require('@modelcontextprotocol/node');
    return handler(McpServer, NodeStreamableHTTPServerTransport, (context) => context.http?.authInfo);
  },
  '2.x, fetch': () => {
    const { McpServer, createMcpHandler } = require('@modelcontextprotocol/server');
    const { toNodeHandler } = require('@modelcontextprotocol/node');
    const serve = toNodeHandler(createMcpHandler(() => newServer(McpServer, (context) => context.http?.authInfo)));
    return (req, res) => serve(req, res, req.body);
  },
};

function handler(McpServer, Transport, authInfoOf) {
  return async (req, res) => {
    const server = newServer(McpServer, authInfoOf);
    const transport = new Transport({ sessionIdGenerator: undefined });
    res.on('close', () => server.close());
    await server.connect(transport);
    await transport.handleRequest(req, res, req.body);
  };
}

function newServer(McpServer, authInfoOf) {
  const server = new McpServer({ name: 'files', version: '1.0.0' });
  for (const name of TOOLS) {
    server.registerTool(name, { description: name }, (context) => seen(authInfoOf(context)));
  }
  return server;
}

/** Clients of each version of the SDK: a function of URL and token that connects one. */
const CLIENTS = {
  '1.x': (url, token) => {
    const { Client } = require('@modelcontextprotocol/sdk/client/index.js');
    const { StreamableHTTPClientTransport } = require('@modelcontextprotocol/sdk/client/streamableHttp.js');
    return connected(Client, StreamableHTTPClientTransport, url, token);
  },
  '2.x': (url, token) => {
    const { Client, StreamableHTTPClientTransport } = require('@modelcontextprotocol/client');
    return connected(Client, StreamableHTTPClientTransport, url, token);
  },
};

async function connected(Client, Transport, url, token) {
  const client = new Client({ name: 'agent', version: '1.0.0' });
  const requestInit = { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } };
  await client.connect(new Transport(new URL(url), { requestInit }));
  return client;
}

module.exports = { CLIENTS, SERVERS, TOOLS };
