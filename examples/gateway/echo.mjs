// An upstream that answers with the received request: `node echo.mjs [port]`.

import { createServer } from 'node:http';

const port = Number(process.argv[2] ?? 8000);

// A token of 16 KiB exceeds Node's default limit.
createServer({ maxHeaderSize: 64 * 1024 }, (request, response) => {
  const { method, url, rawHeaders } = request;
  const headers = [];
  for (let i = 0; i < rawHeaders.length; i += 2) headers.push([rawHeaders[i].toLowerCase(), rawHeaders[i + 1]]);
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify({ method, url, headers }, null, 2)}\n`);
}).listen(port, '127.0.0.1', () => console.log(`the upstream echoes on http://127.0.0.1:${port}`));
