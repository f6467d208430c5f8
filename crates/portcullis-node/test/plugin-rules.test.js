'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { secure } = require('portcullis');
const { Guards } = require('../lib/plugin/guards.js');
const { withRules } = require('../lib/plugin/rules.js');
const { KEY, KEYS } = require('./support/contract.js');
const { mint } = require('./support/tokens.js');

const now = Math.floor(Date.now() / 1000);

/** Rules of every kind and form. */
const RULES = [
  {},
  { scope: 'a' },
  { scope: ['b', 'c'] },
  { scope: 'a b' },
  { anyScope: 'a b' },
  { anyScope: ['c', 'd'] },
  { anyScope: [['a', 'c'], ['b', 'd']] },
  { claims: [{ name: 'role', value: 'admin' }] },
  { claims: [(claims) => claims.sub !== 'eve', { name: 'act', absent: true }] },
  { acr: ['gold', 'silver'] },
  { acr: 'gold' },
  { maxAge: 1000 },
  { maxAge: 100 },
  { scope: 'a', anyScope: 'c d', maxAge: 500, acr: 'gold' },
];

/** Claims that meet some of them. */
const CLAIMS = ['', 'a', 'b', 'c', 'a b', 'a c', 'a d', 'b c', 'b d', 'a b c', 'a b c d'].flatMap((scope) => [
  { scope },
  { scope, role: 'admin', acr: 'gold', auth_time: now - 10 },
  { scope, role: ['admin'], acr: 'silver', auth_time: now - 300 },
  { scope, sub: 'eve', acr: 'gold', auth_time: now - 700 },
  { scope, act: {}, acr: 'bronze', auth_time: now - 2000 },
]);

const passes = (guard, token) => guard.verify(token).then(() => true, ({ code }) => (assert.equal(typeof code, 'string'), false));

test('a token meets the rules of plugin and route together if it meets both alone', async () => {
  const tokens = CLAIMS.map((claims) => mint(KEY, claims));
  const alone = await Promise.all(RULES.map((rules) => Promise.all(tokens.map((token) => passes(secure(KEYS, rules), token)))));
  let count = 0;
  for (const [first, ofFirst] of alone.entries()) {
    for (const [second, ofSecond] of alone.entries()) {
      const guard = new Guards('a', { keys: KEYS, ...RULES[first] }).with('a', RULES[second]);
      const together = await Promise.all(tokens.map((token) => passes(guard, token)));
      assert.deepEqual(together, ofFirst.map((is, index) => is && ofSecond[index]), JSON.stringify([RULES[first], RULES[second]]));
      count += together.filter(Boolean).length;
    }
  }
  assert.ok(count > 1000, `${count} pass`);
});

test('senderConstrained holds if either asks for it, and options of the plugin stay', () => {
  for (const [one, other, together] of [[true, false, true], [false, true, true], [undefined, true, true], [true, undefined, true], [false, false, false]]) {
    const options = withRules('a', { senderConstrained: one, realm: 'r' }, { senderConstrained: other });
    assert.deepEqual([options.senderConstrained, options.realm], [together, 'r']);
  }
});

test('rules of several decorators all count', async () => {
  const guard = new Guards('a', { keys: KEYS, scope: 'a' }).with('a', { scope: 'b' }, { scope: 'c', claims: [{ name: 'role' }] }, { claims: [{ name: 'acr' }] });
  const whole = { scope: 'a b c', role: 'x', acr: 'y' };
  assert.equal(await passes(guard, mint(KEY, whole)), true);
  for (const less of [{ scope: 'b c' }, { scope: 'a c' }, { scope: 'a b' }, { role: undefined }, { acr: undefined }]) {
    assert.equal(await passes(guard, mint(KEY, { ...whole, ...less })), false);
  }
});
