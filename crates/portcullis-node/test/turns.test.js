'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { localKeys, secure } = require('..');
const { mint, namedKey } = require('./support/tokens.js');

const KEY = namedKey('ES256');
const GUARD = secure(localKeys({ keys: [KEY.jwk] }));

/** Judges all tokens in the same turn of the event loop; returns the numbers that passed at once and in the end. */
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
    // The turn of the round before may have verified one.
    await new Promise(setImmediate);
    assert.deepEqual(await ask(tokens), { atOnce: 4, passed: 20 });
    // One that came beside another thread may not have been kept: alone it is.
    for (const token of tokens) {
      await new Promise(setImmediate);
      await ask([token]);
    }
    assert.deepEqual(await ask(tokens), { atOnce: 20, passed: 20 }, 'known ones take no signature');
  }
});

test('of many bad tokens in one turn a few are verified there, whatever the signature leads to', async () => {
  const now = Math.floor(Date.now() / 1000);
  const strict = { issuer: 'a', audience: 'a', scope: 'read', claims: [{ name: 'role' }], next: true, tokenCache: false };
  const good = { iss: 'a', aud: 'a', scope: 'read', role: 'b' };
  const table = {
    bad_signature: [{}, (token) => `${token.slice(0, -8)}AAAAAAAA`],
    expired: [{ exp: now - 60 }],
    not_yet_valid: [{ nbf: now + 60 }],
    issued_in_future: [{ iat: now + 60 }],
    missing_claim: [{ exp: undefined }],
    malformed_claim: [{ exp: 'a' }],
    wrong_issuer: [{ iss: 'b' }],
    wrong_audience: [{ aud: 'b' }],
    sender_constrained_token: [{ cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } }],
    unsupported_confirmation: [{ cnf: { kid: 'a' } }],
    insufficient_scope: [{ scope: 'write' }],
    required_claims: [{ role: undefined }],
  };
  for (const [code, [claims, change = (token) => token]] of Object.entries(table)) {
    await new Promise(setImmediate);
    const guard = secure(localKeys({ keys: [KEY.jwk] }), strict);
    const tokens = Array.from({ length: 20 }, () => change(mint(KEY, { ...good, ...claims })));
    let answered = 0;
    const all = tokens.map((token) => new Promise((resolve) => {
      const req = { headers: { authorization: `Bearer ${token}` }, rawHeaders: [] };
      guard(req, {}, (error) => resolve(void (answered += 1) ?? error.code));
    }));
    assert.equal(answered, 4, code);
    assert.deepEqual([...new Set(await Promise.all(all))], [code]);
  }
});

test('known tokens that a rule refuses, and malformed ones, leave the turn to new tokens', async () => {
  const strict = secure(localKeys({ keys: [KEY.jwk] }), { scope: 'read', next: true });
  let answered = 0;
  const judge = (token) => new Promise((resolve) => {
    const req = { headers: { authorization: `Bearer ${token}` }, rawHeaders: [] };
    strict(req, {}, (error) => resolve(void (answered += 1) ?? error?.code));
  });
  const [known, fresh] = [mint(KEY, { scope: 'write' }), mint(KEY, { scope: 'read' })];
  assert.equal(await judge(known), 'insufficient_scope');
  await new Promise(setImmediate);
  answered = 0;
  const codes = [...Array(20).fill(known), ...Array(20).fill('a.b'), fresh].map(judge);
  assert.equal(answered, 41);
  assert.deepEqual([...new Set(await Promise.all(codes))], ['insufficient_scope', 'malformed_token_parts', undefined]);
});
