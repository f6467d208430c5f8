'use strict';

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');

const { runFile } = require('./support/child.js');

/**
 * The work, the number of warm-up runs and of measured runs, and the MiB by which heap and process may grow. Then true to collect
 * garbage every thousand runs, and the MiB by which the addon's heap may grow, if it is not that of the process.
 */
const TABLE = [
  // The engine decides when to collect garbage: 8 to 24 MiB were seen. With garbage collected, 100,000 leave 15 to 23.
  ['guards of one service', 3_000, 10_000, 2, 60],
  ['guards of one service with options of their own', 3_000, 10_000, 2, 45, true],
  // The addon's heap keeps some space: 0 to 54 MiB were seen, no more for 60,000; a leak of rules would take 420.
  ['guards of services of their own', 3_000, 10_000, 2, 90, true],
  // 0 to 7 MiB were seen.
  ['resources of their own', 1_000, 4_000, 2, 60, true],
  // 15 to 25 MiB were seen, most of them of requests of `fetch`.
  ['guards of one MCP server', 1_000, 4_000, 2, 70, true],
  // 4 to 37 MiB were seen, 15 to 21 for 48,000.
  ['guards that ask getKey', 2_000, 4_000, 2, 70, true],
  // The engine decides when to collect garbage: 12 to 120 MiB were seen. The row above shows that nothing leaks.
  ['guards of one service with options of their own', 3_000, 10_000, 2, 320],
  ['requests', 50_000, 1_000_000, 2, 20],
  // 4 to 23 MiB were seen, 7 for 200,000; the memory of used proofs is a part of them.
  ['requests with proofs', 3_000, 20_000, 4, 60],
  ['guards with proofs and stores of their own', 1_000, 4_000, 4, 70, true],
  // The same: 4 to 37 MiB were seen, on Node 22, and none in the addon.
  ['requests over HTTP', 3_000, 20_000, 3, 90, false, 8],
  // 300,000 tokens. From Node 22 on, V8 enlarges its young generation and keeps free pages for itself: 5 to 131 MiB were seen, on Node 24,
  // no more for 900,000 tokens, and of its heap 2 MiB were in use. The addon's own heap did not grow.
  ['requests with tokens that each come three or four times', 200_000, 1_000_000, 5, 200, false, 8],
  ['tokens of a service whose keys change', 1_000, 3_000, 2, 30],
];

/** The bounds of a process that has seen more tokens than it keeps, in MiB. */
const MOST = { heapUsed: 120, rss: 512 };

describe('memory stays flat', { concurrency: 2 }, () => {
  for (const [load, warmUp, count, heapUsed, rss, collects, addon = rss] of TABLE) {
    const how = collects ? 'with garbage collected' : 'as garbage is collected by itself';
    test(`${count} ${load} leave no more in memory than ${warmUp} before, ${how}`, async (t) => {
      const data = { load, warmUp, count, collects };
      const { stdout, stderr, code } = await runFile(t, 'memory.js', data, ['--expose-gc']);
      assert.deepEqual([stderr, code], ['', 0]);
      const { grown, after } = JSON.parse(stdout);
      t.diagnostic(stdout.trim());
      assert.ok(grown.heapUsed < heapUsed, `the heap has grown by ${grown.heapUsed} MiB`);
      assert.ok(grown.rss < rss, `the process has grown by ${grown.rss} MiB`);
      assert.ok(grown.addon < addon, `the addon's heap has grown by ${grown.addon} MiB`);
      assert.ok(after.heapUsed < MOST.heapUsed && after.rss < MOST.rss, stdout);
    });
  }
});
