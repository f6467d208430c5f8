'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { localKeys, secure } = require('..');
const { mint, namedKey } = require('./support/tokens.js');

const KEY = namedKey('ES256');
const GUARD = secure(localKeys({ keys: [KEY.jwk] }));

/** Asks for each token in the same turn of the loop: how many passed at once, and how many in the end. */
async function ask(tokens) {
  let passed = 0;
  const all = tokens.map(
    (token) =>
      new Promise((resolve, reject) => {
        const next = (error) => {
          passed += 1;
          return error ? reject(error) : resolve();
        };
        GUARD({ headers: { authorization: `Bearer ${token}` }, rawHeaders: [] }, {}, next);
      }),
  );
  const atOnce = passed;
  await Promise.all(all);
  return { atOnce, passed };
}

test('of many new tokens in one turn of the loop a few are verified there, and all pass', async () => {
  for (const round of ['first', 'second']) {
    const tokens = Array.from({ length: 20 }, (_, index) => mint(KEY, { sub: `${round}-${index}` }));
    assert.deepEqual(await ask(tokens), { atOnce: 4, passed: 20 });
    // One that came beside another thread may not have been kept: alone it is.
    for (const token of tokens) {
      await new Promise(setImmediate);
      await ask([token]);
    }
    assert.deepEqual(await ask(tokens), { atOnce: 20, passed: 20 }, 'known ones take no signature');
  }
});
