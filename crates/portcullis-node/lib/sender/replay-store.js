'use strict';

const native = require('../../native.js');
const { textOf } = require('../log.js');
const { nameOf } = require('../values.js');

/** A function that answers the addon's questions to a store of proofs. It never throws, and always answers. */
function answering(store) {
  return (number, kind, argument) => {
    keepNew(store, JSON.parse(argument)).then(
      (isNew) => native.answerKept(number, isNew),
      (error) => native.answerFailed(number, textOf(error)),
    );
  };
}

async function keepNew(store, { id, seconds }) {
  const isNew = await store.keepNew(id, seconds);
  if (typeof isNew !== 'boolean') {
    // Redis answers OK or null, which would both count as one of the two.
    throw new TypeError(`expected keepNew to resolve to true or false, got ${nameOf(isNew)}`);
  }
  return isNew;
}

module.exports = { answering };
