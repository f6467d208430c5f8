'use strict';

const { inOurNames } = require('./library.js');

/** The marks of outcomes in the text. */
const MARKS = { passed: '+', failed: 'x', not_reached: '.', not_asked: ' ', not_checked: '?' };

/** The names of options at the end of an expected value, as in `at most 16384 bytes (max_token_bytes)`. */
const AT_END = / \([a-z_, ]+\)$/;

/** The width of the column of titles. */
const WIDTH = 26;

/**
 * The verdict on a token, check by check: for operators, not for clients. It contains the token's claims, and not the token.
 *
 * Its members are those of `portcullis explain --json`; as a string it is a table for people.
 */
class Explanation {
  constructor(data) {
    Object.assign(this, data);
  }

  /** Reads the addon's explanation, which names options as the library does. Values of options and of claims keep their text. */
  static read(text) {
    const data = JSON.parse(text);
    const checks = data.checks.map((check) => ({
      ...check,
      expected: check.expected?.replace(AT_END, inOurNames) ?? null,
      hint: inHint(check.hint),
    }));
    return new Explanation({ ...data, reason: data.reason && inOurNames(data.reason), checks });
  }

  /** The same with the checks of functions in the options: all passed, or one has refused the token. */
  and(refused) {
    if (refused === undefined) {
      return this;
    }
    const { code, reason } = refused;
    const check = {
      check: 'own_rule',
      title: 'rule of your own',
      outcome: 'failed',
      code,
      expected: 'a rule of the options that is a function to hold',
      actual: null,
      reference: null,
      hint: null,
    };
    return new Explanation({ ...this, verdict: 'refused', code, reason, checks: [...this.checks, check] });
  }

  /** The first failed check. */
  get failure() {
    return this.checks.find(({ outcome }) => outcome === 'failed');
  }

  toString() {
    const shown = this.checks.filter(({ outcome }) => outcome !== 'not_asked');
    return [this.#title(), ...shown.flatMap(lineOf)].join('\n');
  }

  #title() {
    const verdict = this.verdict.replace('_', ' ');
    return this.code === null ? verdict : `${verdict}: ${this.code} (${this.reason})`;
  }
}

/** A hint in the names of this package, in which a function takes the URL of a key set, and no option. */
function inHint(hint) {
  return hint && inOurNames(hint.replaceAll('`jwks_uri`', '`getSimpleJwksService`'));
}

function lineOf({ title, outcome, expected, actual, hint }) {
  const mark = `  ${MARKS[outcome] ?? ' '} ${title.padEnd(WIDTH)}`;
  const got = actual === null ? '' : `${actual.vouched ? '' : 'unverified '}${actual.text}`;
  const [first, second] = outcome === 'failed' ? [expected && `expected ${expected}`, got && `got ${got}`] : [got];
  const line = `${mark} ${[first, second].filter(Boolean).join(', ')}`.trimEnd();
  return hint === null ? [line] : [line, `      ${hint}`];
}

module.exports = { Explanation };
