'use strict';

const native = require('../native.js');

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
  try {
    logger?.warn(`portcullis: ${line}`);
  } catch {
    // There is nowhere left to say it.
  }
}

/** The text of whatever was thrown. */
function textOf(error) {
  try {
    return String(error?.message ?? error);
  } catch {
    return 'an error without a text';
  }
}

native.listen(warn);

module.exports = { setLogger, warn, textOf };
