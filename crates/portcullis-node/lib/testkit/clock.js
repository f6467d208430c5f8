'use strict';

const native = require('../../native.js');
const { clocks } = require('../clock.js');
const { nameOf } = require('../values.js');
const kit = require('./kit.js');

/** The latest time of a `Date`, in milliseconds since 1970. */
const LATEST = 8.64e15;

/** A clock that stands still until the test moves it. Key services, servers and clients with it share one time. */
class TestClock {
  #milliseconds;
  #ofGuards;
  #ofKit;

  /** Starts at this time: a `Date`, or seconds since 1970; by default now, at a whole second. */
  constructor(time = Math.floor(Date.now() / 1000)) {
    this.#milliseconds = readTime('TestClock', time);
    this.#ofGuards = new native.Clock(this.#milliseconds);
    this.#ofKit = new kit.Clock(this.#milliseconds);
    clocks.set(this, this.#ofGuards);
  }

  /** The time that the clock shows. */
  now() {
    return new Date(this.#milliseconds);
  }

  /** Moves the time forward, or back by a negative number of seconds. */
  advance(seconds) {
    if (!Number.isFinite(seconds)) {
      throw new TypeError(`advance: expected a number of seconds, got ${nameOf(seconds)}`);
    }
    this.#set('advance', this.#milliseconds + seconds * 1000);
  }

  /** Sets the time: a `Date`, or seconds since 1970. */
  set(time) {
    this.#set('set', readTime('set', time));
  }

  #set(owner, milliseconds) {
    this.#milliseconds = readMilliseconds(owner, Math.round(milliseconds));
    this.#ofGuards.set(this.#milliseconds);
    this.#ofKit.set(this.#milliseconds);
  }

  /** The kit's own clock; undefined for undefined. */
  static ofKit(owner, clock) {
    if (clock === undefined) {
      return undefined;
    }
    if (clock === null || typeof clock !== 'object' || !(#ofKit in clock)) {
      throw new TypeError(`${owner}: expected clock to be a TestClock, got ${nameOf(clock)}`);
    }
    return clock.#ofKit;
  }
}

/** A time in milliseconds since 1970. */
function readTime(owner, time) {
  if (time instanceof Date) {
    return readMilliseconds(owner, time.getTime());
  }
  return readMilliseconds(owner, typeof time === 'number' ? Math.round(time * 1000) : NaN);
}

function readMilliseconds(owner, milliseconds) {
  if (!(milliseconds >= 0 && milliseconds <= LATEST)) {
    throw new TypeError(`${owner}: expected a time from 1970 on, as a Date or in seconds, got another value`);
  }
  return milliseconds;
}

module.exports = { TestClock };
