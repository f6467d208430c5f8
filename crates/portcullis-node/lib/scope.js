'use strict';

const { find } = require('./claims.js');
const { ISSUER_RULES } = require('./library.js');
const { partsOf, tenantOf } = require('./tenants.js');

/** A SPIFFE ID without its path. */
const TRUST_DOMAIN = /^spiffe:\/\/[^/]*/;

/** The claims that may hold the scope, for the tokens of each issuer. */
class ScopeClaims {
  #byIssuer = new Map();

  /** Those for the issuers of tenants, each with the texts around the tenant. */
  #ofTenants = [];

  /** Those for introspection responses, which need not name an issuer; one issuer at the most is asked. */
  #introspected = [];

  /** `branches` have the options of each issuer (`verification`), and its introspector, if there is one. */
  constructor(branches) {
    for (const { verification: { issuer, trustDomain, scopeClaims }, introspection } of branches) {
      const names = scopeClaims ?? ISSUER_RULES.defaults.scopeClaims;
      const parts = partsOf(issuer);
      this.#byIssuer.set(trustDomain === undefined ? issuer : `spiffe://${trustDomain}`, names);
      if (parts !== undefined) {
        this.#ofTenants.push({ parts, names });
      }
      if (introspection !== undefined) {
        this.#introspected = names;
      }
    }
  }

  /** Returns the names for a token with these claims, by its issuer, which is selected as in the library. */
  of({ iss, sub }) {
    if (this.#byIssuer.size === 1) {
      const [only] = this.#byIssuer.values();
      return only;
    }
    if (typeof iss === 'string') {
      return this.#byIssuer.get(iss) ?? this.#ofTenant(iss) ?? this.#ofTrustDomain(sub) ?? [];
    }
    return this.#ofTrustDomain(sub) ?? this.#introspected;
  }

  #ofTenant(iss) {
    return this.#ofTenants.find(({ parts }) => tenantOf(iss, parts) !== undefined)?.names;
  }

  #ofTrustDomain(id) {
    return this.#byIssuer.get(TRUST_DOMAIN.exec(id)?.[0]);
  }
}

/** The scope that tokens grant at an endpoint, the same as for the rules `scope` and `anyScope`. */
class ScopeRules {
  #claims;
  #implied;

  constructor(claims, implied = {}) {
    this.#claims = claims;
    // A copy, because the caller may change the option later.
    this.#implied = new Map(Object.entries(implied).map(([value, others]) => [value, [...others]]));
  }

  /** Returns the scope values in the first present claim that may hold the scope. */
  valuesOf(claims) {
    const found = this.#claims.of(claims).map((name) => find(claims, name));
    const scope = found.find((value) => value !== undefined);
    return Array.isArray(scope) ? scope.filter((value) => typeof value === 'string') : wordsOf(scope);
  }

  /** Returns the scope values that claims grant, directly or by implication; a text with a space is not a value. */
  grantedBy(claims) {
    const granted = new Set(this.valuesOf(claims).filter(isScopeValue));
    // The loop also visits values added during it.
    for (const one of granted) {
      this.#implied.get(one)?.forEach((implied) => granted.add(implied));
    }
    return [...granted];
  }

  /** Returns true if claims grant this value, directly or by implication. */
  isGranted(claims, value) {
    return isScopeValue(value) && this.grantedBy(claims).includes(value);
  }
}

/** Returns the values of a scope string (RFC 6749 section 3.3); anything else grants none. */
function wordsOf(scope) {
  return typeof scope === 'string' ? scope.split(' ').filter(Boolean) : [];
}

function isScopeValue(value) {
  return value !== '' && !String(value).includes(' ');
}

module.exports = { ScopeClaims, ScopeRules };
