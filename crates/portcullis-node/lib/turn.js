'use strict';

/**
 * How many signatures are verified on Node's own thread in one turn of its loop. The others are verified beside it, so that
 * many new tokens at once hold nobody up; a few are done sooner here than a thread is woken.
 */
const MOST = 4;

let verified = 0;

/** Whether there is time for another in this turn. */
function hasTime() {
  return verified < MOST;
}

/** One was verified. */
function spend() {
  if (verified === 0) {
    setImmediate(renew);
  }
  verified += 1;
}

function renew() {
  verified = 0;
}

module.exports = { hasTime, spend };
