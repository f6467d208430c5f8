'use strict';

const native = require('../native.js');
const { inOurNames } = require('./library.js');
const { nameOf } = require('./values.js');

let logger = console;

/** Sets the logger of warnings: an object with `warn`, such as `console`, pino or winston; `null` silences them. */
function setLogger(next) {
  if (next !== null && typeof next?.warn !== 'function') {
    throw new TypeError(`setLogger: expected an object with a function \`warn\`, or null, got ${nameOf(next)}`);
  }
  logger = next;
}

/** Logs a line. A failing logger changes no verdict. */
function warn(line) {
  // There is no other place to report a failure.
  attempt(() => logger?.warn(`portcullis: ${line}`), () => {});
}

/** Calls a user's function and reports its failure, now or later, to `failed` only. */
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

/** The text of a thrown value on one line; OpenSSL's texts have several. */
function textOf(error) {
  try {
    return String(error?.message ?? error).replace(/\s+/g, ' ').trim();
  } catch {
    return 'an error without a text';
  }
}

native.listen((line) => warn(inOurNames(line)));

module.exports = { setLogger, attempt, warn, textOf };
