'use strict';

const { expected } = require('./values.js');

/**
 * The addon's clocks by the objects of tests that move them.
 *
 * The machine's clock judges everything in production. Only `portcullis/testkit`, whose binary is a package for development, adds an
 * entry: no other object, and nothing that a configuration can hold, is taken for a clock.
 */
const clocks = new WeakMap();

/** Reads the option `clock`: the addon's clock of a test, or undefined for the machine's. */
function readClock(owner, clock) {
  if (clock === undefined) {
    return undefined;
  }
  const known = clocks.get(clock);
  if (known === undefined) {
    throw expected(owner, 'clock', 'a TestClock of portcullis/testkit (in production, leave it out)', clock);
  }
  return known;
}

module.exports = { clocks, readClock };
