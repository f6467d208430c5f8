'use strict';

const assert = require('node:assert/strict');
const { createHmac, randomBytes } = require('node:crypto');
const { test } = require('node:test');

const { localKeys, secure } = require('..');

const SECRET = randomBytes(32);
const GUARD = secure(localKeys(SECRET), { algorithms: 'HS256' });

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A good token with this number of padding characters in its claims. */
function padded(count) {
  const input = `${encode({ alg: 'HS256' })}.${encode({ exp: 9999999999, sub: 'alice', pad: 'x'.repeat(count) })}`;
  return `${input}.${createHmac('sha256', SECRET).update(input).digest('base64url')}`;
}

async function codeOf(token) {
  return GUARD.verify(token).then(({ claims }) => claims.sub, ({ code }) => code);
}

// A field is read into a buffer of 4 KiB, or into a larger one if that may not suffice.
for (const around of [4096, 8192]) {
  test(`tokens of every length around ${around} bytes are read whole`, async () => {
    const lengths = [];
    for (let count = Math.floor((around - 300) * 0.75); (lengths.at(-1) ?? 0) < around + 20; count += 1) {
      const token = padded(count);
      lengths.push(token.length);
      assert.equal(await codeOf(token), 'alice', `${token.length} bytes`);
      assert.equal(await codeOf(token), 'alice', `${token.length} bytes, again`);
      assert.notEqual(await codeOf(token.slice(0, -1)), 'alice', `${token.length} bytes without the last`);
    }
    assert.ok(lengths[0] < around - 20);
  });
}

test('what is not ASCII at the end of a buffer is not cut off', async () => {
  for (let count = 2900; count < 2960; count += 1) {
    const token = padded(count);
    assert.equal(await codeOf(token), 'alice');
    for (const character of ['é', '€', '𝄞', '\ud800']) {
      assert.equal(await codeOf(token + character), 'malformed_token', `${token.length} bytes and ${character}`);
      assert.equal(await codeOf(token + character.repeat(5)), 'malformed_token');
    }
  }
});

test('a large field leaves the next one as it is', async () => {
  const token = padded(10);
  assert.equal(await codeOf('a'.repeat(1_000_000)), 'token_too_large');
  assert.equal(await codeOf(token), 'alice');
  assert.equal(await codeOf('a'.repeat(10_000)), 'malformed_token_parts');
  assert.equal(await codeOf(token), 'alice');
  assert.equal(await codeOf(''), 'empty_token');
  assert.equal(await codeOf(token), 'alice');
});
