// The MCP server of the example: two tools for files in memory, and nothing about tokens.

import { McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';

const files = new Set(['notes.txt', 'draft.txt']);
const text = (text) => ({ content: [{ type: 'text', text }] });

/** A server for one request, on the files of this process. */
export function fileServer() {
  const server = new McpServer({ name: 'files', version: '1.0.0' });
  server.registerTool('list_files', { description: 'Lists the files' }, () => text([...files].sort().join('\n')));
  server.registerTool(
    'delete_file',
    { description: 'Deletes a file', inputSchema: z.object({ name: z.string() }) },
    ({ name }) => text(files.delete(name) ? `deleted ${name}` : `there is no ${name}`),
  );
  return server;
}
