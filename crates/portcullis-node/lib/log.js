'use strict';

const native = require('../native.js');
const { inOurNames } = require('./options.js');

let logger = console;

/** Sends warnings there: an object with `warn`, as `console`, pino and winston are; `null` silences them. */
function setLogger(next) {
  if (next !== null && typeof next?.warn !== 'function') {
    throw new TypeError('setLogger: expected an object with a function `warn`, or null');
  }
  logger = next;
}

/** Says a line. A logger that fails is no reason to refuse anything, nor to accept it. */
function warn(line) {
  // Where it fails, there is nowhere left to say it.
  attempt(() => logger?.warn(`portcullis: ${line}`), () => {});
}

/** Calls a function of the user's, which may fail in any way, at once or later; that is told to `failed` alone. */
function attempt(call, failed) {
  try {
    const outcome = call();
    if (typeof outcome?.then === 'function') {
      Promise.resolve(outcome).catch(failed);
    }
  } catch (error) {
    failed(error);
  }
}

/** The text of whatever was thrown, on one line: OpenSSL's have several. */
function textOf(error) {
  try {
    return String(error?.message ?? error).replace(/\s+/g, ' ').trim();
  } catch {
    return 'an error without a text';
  }
}

native.listen((line) => warn(inOurNames(line)));

module.exports = { setLogger, attempt, warn, textOf };
