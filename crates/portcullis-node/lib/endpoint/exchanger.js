'use strict';

const native = require('../../native.js');
const { JwksService, noKeys, refuseSecretsAlone } = require('../keys.js');
const { VERIFICATION, configured, readObject } = require('../library.js');
const { readVerification } = require('../options.js');
const { expected, readBoolean } = require('../values.js');
const { answering } = require('./answering.js');
const { Exchanger } = require('./exchanges.js');
const { readEndpoint } = require('./options.js');

/** The options of an exchanger apart from those of its endpoint. */
const OWN = ['jwks', 'subjectIssuer', 'dangerouslyAcceptUnverifiedTokens', 'dangerouslyAcceptOtherSubjects'];

/**
 * Exchanges tokens at the token endpoint of an authorization server. `jwks` and the rules for tokens, such as `issuer`, are for the
 * exchanged tokens, which are verified before they are handed on.
 */
function exchanger(given) {
  const owner = 'exchanger';
  const options = readObject(owner, '{ jwks, clientId, clientSecret }', given);
  const { url, rules: endpoint, storeSecret, clock, ...asked } = readEndpoint(owner, options, ['mayOutlive'], [...OWN, ...VERIFICATION], options.jwks?.issuer);
  const keys = JwksService.nativeOf(options.jwks);
  if (keys === undefined) {
    throw noKeys(owner, 'jwks', 'a JWKS service with the keys of the exchanged tokens', options.jwks);
  }
  const verification = readVerification(options, owner);
  refuseSecretsAlone(owner, options.jwks, verification, options.dangerouslyAcceptUnverifiedTokens === true);
  const issuer = issuerOf(owner, options.jwks, verification);
  if (options.subjectIssuer !== undefined && typeof options.subjectIssuer !== 'string') {
    throw expected(owner, 'subjectIssuer', 'a string', options.subjectIssuer);
  }
  const text = JSON.stringify({
    endpoint,
    subjectIssuer: options.subjectIssuer,
    ...Object.fromEntries(OWN.slice(2).map((name) => [name, readBoolean(owner, name, options[name])])),
  });
  const ask = answering(asked);
  const make = () => new native.Issuer(keys, JSON.stringify({ ...verification, issuer }));
  return new Exchanger(configured(owner, () => new native.Exchanger(url, make(), text, ask, storeSecret, clock)));
}

/** The one issuer of the exchanged tokens: that of the options, or of `discovery`. */
function issuerOf(owner, jwks, { issuer = jwks.issuer === undefined ? [] : [jwks.issuer] }) {
  if (issuer.length !== 1) {
    throw expected(owner, 'issuer', 'one string', issuer);
  }
  return issuer[0];
}

module.exports = { exchanger };
