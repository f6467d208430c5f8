'use strict';

const assert = require('node:assert/strict');
const { once, EventEmitter } = require('node:events');
const { setImmediate: turn, setTimeout: delay } = require('node:timers/promises');

const { setLogger } = require('portcullis');
const { atEnd } = require('./cleanup.js');

setLogger(null);

/** Collects what is logged during the test `t`. */
function collectLog(t) {
  const log = Object.assign(new EventEmitter(), {
    lines: [],
    warn(line) {
      log.lines.push(line);
      log.emit('line');
    },
    async line(pattern) {
      while (!log.lines.some((line) => pattern.test(line))) {
        await once(log, 'line');
      }
      return log.lines.find((line) => pattern.test(line));
    },
  });
  setLogger(log);
  atEnd(t, () => setLogger(null));
  return log;
}

/**
 * Ends the test `t` only after all work that it has started, because node:test fails a test for uncaught errors while it
 * runs.
 */
function forbidCrashes(t) {
  atEnd(t, async () => {
    await turn();
    await turn();
  });
}

/** The result of the promise, or `otherwise` if it takes longer than this many milliseconds. */
async function within(milliseconds, promise, otherwise) {
  const timer = new AbortController();
  const late = delay(milliseconds, otherwise, { signal: timer.signal }).catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}

/** The error that a promise is rejected with. */
async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: 'expected a rejection' });
}

module.exports = { collectLog, forbidCrashes, within, failure };
