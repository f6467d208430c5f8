/** Code shared by the servers: command line, handler, listening, and the delay of the event loop. */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';

import express from 'express';

/** The subject of the first user's token, for servers that read no claims. */
export const SUBJECT = '7f6c2a4e-91d3-4b58-8e0a-000000000000';

/** The rules for tokens and the port of a server. */
export const settings = readSettings();

/** Starts a server that answers with the subject, which `subjectOf` reads from the guards' result. */
export function serve(subjectOf, ...guards) {
  const app = express();
  app.get('/', ...guards, (req, res) => res.json({ subject: subjectOf(req) }));
  const server = app.listen(settings.port, '127.0.0.1', (error) => {
    if (error) {
      throw error;
    }
    tellDelays();
    // This line tells that the server is ready.
    console.log(`127.0.0.1:${server.address().port}`);
  });
}

function readSettings() {
  const { values } = parseArgs({
    options: {
      'jwks-uri': { type: 'string' },
      issuer: { type: 'string' },
      audience: { type: 'string' },
      port: { type: 'string', default: '0' },
      'no-cache': { type: 'boolean', default: false },
      dpop: { type: 'boolean', default: false },
      pool: { type: 'boolean', default: false },
      cache: { type: 'string' },
    },
  });
  const { 'jwks-uri': jwksUri, 'no-cache': noCache, ...rest } = values;
  return { jwksUri, noCache, ...rest };
}

/** Prints the 99th percentile since the last time, in nanoseconds, for each line of input. */
function tellDelays() {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  process.stdin.on('data', () => {
    console.log(delays.percentile(99));
    delays.reset();
  });
}
