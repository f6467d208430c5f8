'use strict';

const native = require('../../native.js');
const { fetchWith } = require('../fetch.js');
const { textOf } = require('../log.js');
const { nameOf } = require('../values.js');

/** A function that answers the addon's questions: to the endpoint, and to the store. It never throws, and always answers. */
function answering({ client, timeout, store }) {
  const answers = {
    async fetch(number, argument) {
      const mayConnectTo = (address) => native.mayConnectTo(number, address);
      const { status, fields, body, peer } = await fetchWith(client, JSON.parse(argument), timeout, mayConnectTo);
      native.answerFetched(number, status, fields, body, peer);
    },
    async getEntry(number, key) {
      const entry = await store.get(key);
      if (entry !== null && entry !== undefined && typeof entry !== 'string') {
        throw new TypeError(`expected get of the store to resolve to a string or null, got ${nameOf(entry)}`);
      }
      native.answerText(number, entry ?? null);
    },
    async setEntry(number, argument) {
      const { key, entry, seconds } = JSON.parse(argument);
      await store.set(key, entry, seconds);
      native.answerText(number, null);
    },
  };
  return (number, kind, argument) => {
    answers[kind](number, argument).catch((error) => native.answerFailed(number, textOf(error)));
  };
}

module.exports = { answering };
