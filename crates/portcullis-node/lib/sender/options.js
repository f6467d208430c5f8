'use strict';

const native = require('../../native.js');
const { DPOP, DPOP_RULES, configured, readForLibrary, refuseUnknown } = require('../library.js');
const { Shared } = require('../shared.js');
const { expected, isOptions, readLimit, readSeconds, readStrings } = require('../values.js');
const { answering } = require('./replay-store.js');

/** The readers of particular options for proofs. */
const REMARKS = {
  algorithms: readStrings,
  maxAge: readSeconds,
  leeway: readSeconds,
  maxProofBytes: readLimit,
};

/** The owner of what is shared by guards without a store of their own. */
const NO_STORE = {};

/** The objects that guards with the same options share: each has the proofs seen, the keys of clients, and the key of nonces. */
const shared = new Shared();

/** Reads the rule `dpop`: `off`, `allowed`, `required`, or an object whose `use` has it; an object alone requires proofs. */
function readUse(owner, name, value) {
  if (typeof value === 'string') {
    return value;
  }
  if (!isOptions(value)) {
    throw expected(owner, name, '`off`, `allowed`, `required`, or an object with options for proofs', value);
  }
  const { use = 'required' } = value;
  return use;
}

/** Reads the options for proofs, and returns the addon's object for them. */
function readDpop(owner, value) {
  if (value === undefined) {
    return undefined;
  }
  const options = typeof value === 'string' ? {} : value;
  const name = `${owner}: dpop`;
  refuseUnknown(options, DPOP, name, DPOP_RULES.notOffered);
  const rules = JSON.stringify(readForLibrary(options, DPOP_RULES, name, REMARKS));
  const publicUrl = readUrl(name, 'publicUrl', options.publicUrl);
  const nonces = readNonces(name, options.nonces);
  const store = readStore(name, options.replayStore);
  const { whenStoreIsAway = 'judge_locally' } = options;
  if (typeof whenStoreIsAway !== 'string') {
    throw expected(name, 'whenStoreIsAway', '`judge_locally` or `refuse`', whenStoreIsAway);
  }
  const text = JSON.stringify([rules, publicUrl, nonces, whenStoreIsAway]);
  const make = () => new native.Dpop(rules, publicUrl, nonces, store && answering(store), whenStoreIsAway);
  return shared.get(store ?? NO_STORE, text, () => configured(name, make));
}

/** Reads `nonces`: true for a random secret, or an object with the secret that replicas share. */
function readNonces(owner, value = false) {
  if (value === false) {
    return undefined;
  }
  if (value === true) {
    return {};
  }
  if (!isOptions(value)) {
    throw expected(owner, 'nonces', 'true, or an object with `secret`', value);
  }
  refuseUnknown(value, ['secret', 'lifetime'], `${owner}: nonces`);
  const { secret, lifetime } = value;
  if (typeof secret !== 'string' && !(secret instanceof Uint8Array)) {
    throw expected(owner, 'nonces.secret', 'a string or bytes (for a random one of this process: nonces: true)', secret);
  }
  return { secret: Buffer.from(secret), lifetime: readSeconds(owner, 'nonces.lifetime', lifetime) };
}

function readStore(owner, store) {
  if (store !== undefined && typeof store?.keepNew !== 'function') {
    throw expected(owner, 'replayStore', 'an object with the function keepNew', store);
  }
  return store;
}

function readUrl(owner, name, value) {
  const url = value instanceof URL ? value.href : value;
  if (url !== undefined && typeof url !== 'string') {
    throw expected(owner, name, 'a URL', value);
  }
  return url;
}

module.exports = { readDpop, readUse };
