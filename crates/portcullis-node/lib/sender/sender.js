'use strict';

const { nodeRequestOf } = require('../request.js');
const { addressOf, showsProof } = require('./shown.js');

/** The last verdicts on requests with a proof or a nonce, for the guards behind: the same proof is no replay there. */
const passed = new WeakMap();

/** The parts of requests that tell who sends a token: DPoP proofs, and certificates of mutual TLS. */
class Sender {
  #judgesProofs;
  #findCertificate;

  /** `use` is the rule `dpop`; `dpop` the options for proofs. */
  constructor(use, dpop, findCertificate) {
    this.dpop = dpop;
    this.#judgesProofs = use !== undefined && use !== 'off';
    this.#findCertificate = findCertificate;
  }

  /** The parts of a request for the addon; undefined for a request that shows a token alone, or for no request. */
  shownBy(request) {
    if (request === undefined) {
      return undefined;
    }
    const clientCertificate = this.#findCertificate(request);
    if (this.#judgesProofs && showsProof(request)) {
      return { ...addressOf(request), clientCertificate };
    }
    return clientCertificate === undefined ? undefined : { method: '', fields: [], clientCertificate };
  }

  /** The verdict of a guard in front on the same request, if it has a proof. */
  passedBefore(request) {
    return passed.get(nodeRequestOf(request));
  }

  /** Keeps a verdict for the guards behind. */
  remember(request, verdict) {
    if (request !== undefined) {
      passed.set(nodeRequestOf(request), verdict);
    }
  }
}

/** The nonce for the client of a request that has passed, if guards ask for nonces. */
function nonceFor(request) {
  return passed.get(nodeRequestOf(request))?.dpopNonce;
}

module.exports = { Sender, nonceFor };
