'use strict';

/**
 * The number of signatures verified on Node's own thread in one turn of its event loop. The others go to other threads, so that
 * many new tokens at once delay no other request; a few are verified faster here than another thread wakes up.
 */
const MOST = 4;

let verified = 0;

/** Returns true if there is time for another signature in this turn. */
function hasTime() {
  return verified < MOST;
}

/** Counts a verified signature. */
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
