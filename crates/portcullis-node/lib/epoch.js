'use strict';

const native = require('../native.js');

/** A word of memory that the addon changes whenever verdicts on tokens may change for another reason than time. */
const shared = native.epoch();
const word = shared === null ? undefined : new Uint32Array(shared);

/** Returns the number of the epoch; NaN, which equals no epoch, where the engine shares no memory with the addon. */
function currentEpoch() {
  return word === undefined ? Number.NaN : word[0];
}

module.exports = { currentEpoch };
