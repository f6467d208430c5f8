// An MCP server with the tools, resources and prompts that the conformance suite asks for.
//
//     node everything.mjs unguarded|guarded
//
// PORT is its port, RESOURCE the URL by which clients know it, ISSUER the authorization server of the guarded one.

import { createMcpExpressApp } from '@modelcontextprotocol/express';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer, ResourceTemplate, completable, createMcpHandler } from '@modelcontextprotocol/server';
import express from 'express';
import * as z from 'zod';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const WAV = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';
const text = (text) => ({ type: 'text', text });
const image = { type: 'image', data: PNG, mimeType: 'image/png' };
const embedded = (uri) => ({ type: 'resource', resource: { uri, mimeType: 'text/plain', text: 'An embedded resource.' } });
const user = (content) => ({ role: 'user', content });

const TOOLS = {
  test_simple_text: () => [text('This is a simple text response for testing.')],
  test_image_content: () => [image],
  test_audio_content: () => [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }],
  test_embedded_resource: () => [embedded('test://embedded-resource')],
  test_multiple_content_types: () => [text('Several:'), image, embedded('test://mixed-content-resource')],
};

function everything() {
  const server = new McpServer({ name: 'everything', version: '1.0.0' }, { capabilities: { logging: {}, completions: {} } });
  for (const [name, content] of Object.entries(TOOLS)) {
    server.registerTool(name, { description: name }, () => ({ content: content() }));
  }
  server.registerTool('test_error_handling', { description: 'Fails' }, () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  server.registerTool('test_tool_with_progress', { description: 'Tells its progress' }, async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken ?? 0;
    for (const progress of [0, 50, 100]) {
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
    }
    return { content: [text(String(progressToken))] };
  });
  server.registerTool('test_tool_with_logging', { description: 'Logs' }, async ({ mcpReq }) => {
    for (const data of ['started', 'working', 'completed']) {
      await mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data } });
    }
    return { content: [text('logged')] };
  });

  const plain = (uri, mimeType, content) => ({ contents: [{ uri: uri.href, mimeType, ...content }] });
  server.registerResource('text', 'test://static-text', { mimeType: 'text/plain' }, (uri) =>
    plain(uri, 'text/plain', { text: 'The text of a static resource.' }));
  server.registerResource('binary', 'test://static-binary', { mimeType: 'image/png' }, (uri) =>
    plain(uri, 'image/png', { blob: PNG }));
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined });
  server.registerResource('template', template, { mimeType: 'application/json' }, (uri, { id }) =>
    plain(uri, 'application/json', { text: JSON.stringify({ id, data: `Data for ID: ${id}` }) }));

  const prompt = (name, argsSchema, messages) => server.registerPrompt(name, { description: name, argsSchema }, messages);
  server.registerPrompt('test_simple_prompt', { description: 'Simple' }, () => ({ messages: [user(text('A simple prompt.'))] }));
  const two = z.object({ arg1: completable(z.string(), (start) => ['one', 'two'].filter((word) => word.startsWith(start))), arg2: z.string() });
  prompt('test_prompt_with_arguments', two, ({ arg1, arg2 }) => ({ messages: [user(text(`arg1='${arg1}', arg2='${arg2}'`))] }));
  prompt('test_prompt_with_embedded_resource', z.object({ resourceUri: z.string() }), ({ resourceUri }) => ({
    messages: [user(embedded(resourceUri)), user(text('Process it.'))],
  }));
  server.registerPrompt('test_prompt_with_image', { description: 'With an image' }, () => ({
    messages: [user(image), user(text('Look at it.'))],
  }));
  return server;
}

const { ISSUER, PORT, RESOURCE } = process.env;
const handle = toNodeHandler(createMcpHandler(everything));
const app = express();
if (process.argv[2] === 'guarded') {
  const { mcp } = await import('portcullis');
  const { router, guard } = mcp({
    resource: RESOURCE,
    issuer: ISSUER,
    // A rule for a tool, so that each message is read.
    tools: [{ name: 'test_*', scope: 'files:write' }],
  });
  app.use(router);
  app.use('/mcp', guard({ scope: 'files:read' }));
}
app.use(createMcpExpressApp().all('/mcp', (req, res) => handle(req, res, req.body)));
app.listen(Number(PORT), '127.0.0.1', () => console.log('ready'));
