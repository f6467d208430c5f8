'use strict';

const { expected, nameOf } = require('./values.js');

/** The placeholder for the tenant in an issuer. */
const PLACEHOLDER = /\{[^}]*\}/;

/** The functions that tell which tenants are accepted, each for an issuer with a placeholder. */
class Tenants {
  #names;
  #rules;

  constructor(names, rules) {
    this.#names = new Set(names);
    this.#rules = rules;
  }

  /** The functions of branches (`issuer`, `accepts`); undefined if there are none. */
  static of(owner, branches) {
    const asked = branches.filter(({ accepts }) => accepts !== undefined);
    if (asked.length === 0) {
      return undefined;
    }
    const rules = asked.filter(({ issuer }) => PLACEHOLDER.test(issuer ?? ''));
    if (rules.length === 0) {
      throw new TypeError(`${owner}: expected a placeholder for the tenant in \`issuer\` with \`tenants\`, got none`);
    }
    const names = branches.map(({ issuer }) => issuer).filter((issuer) => !PLACEHOLDER.test(issuer ?? '{}'));
    return new Tenants(names, rules.map(({ issuer, accepts }) => ({ parts: issuer.split(PLACEHOLDER), accepts })));
  }

  /**
   * Returns true if the tenant of a verified token is accepted, or no function is asked. A token without an issuer is none of a tenant's:
   * a trust domain or an authorization server answers for it.
   */
  accept({ iss }) {
    if (typeof iss !== 'string' || this.#names.has(iss)) {
      return true;
    }
    const rule = this.#rules.find(({ parts }) => tenantOf(iss, parts) !== undefined);
    return rule === undefined || isAccepted(rule.accepts, tenantOf(iss, rule.parts));
  }
}

/** The texts before and after the tenant in an issuer; undefined for one without a placeholder. */
function partsOf(issuer) {
  return PLACEHOLDER.test(issuer ?? '') ? issuer.split(PLACEHOLDER) : undefined;
}

/** The tenant in the issuer of a token, by the parts of a configured one; undefined for another. */
function tenantOf(iss, [before, after]) {
  const tenant = iss.startsWith(before) && iss.endsWith(after) ? iss.slice(before.length, iss.length - after.length) : '';
  return tenant === '' || tenant.includes('/') ? undefined : tenant;
}

function isAccepted(accepts, tenant) {
  const answer = accepts(tenant);
  if (typeof answer !== 'boolean') {
    // A promise is truthy: a function that is async by mistake would accept every tenant.
    throw new TypeError(`expected the function \`tenants\` to return true or false, got ${nameOf(answer)}`);
  }
  return answer;
}

/** Reads the accepted tenants for the library; a function is not for it. */
function readTenants(owner, name, value) {
  if (typeof value === 'function') {
    return undefined;
  }
  const values = Array.isArray(value) ? value : [value];
  if (values.length === 0 || values.some((value) => typeof value !== 'string')) {
    throw expected(owner, name, 'a string, an array of strings, or a function', values.length === 0 ? value : values);
  }
  return values;
}

/** The function in options, if there is one. */
function acceptsOf({ tenants }) {
  return typeof tenants === 'function' ? tenants : undefined;
}

/** The rules for each of several issuers: those for tenants are for the ones with a placeholder, if there is one. */
function forEach(issuers, verification) {
  const { tenantClaim, tenants, ...others } = verification;
  const hasTenants = (issuer) => PLACEHOLDER.test(issuer ?? '');
  return issuers.map((issuer) => {
    const rules = hasTenants(issuer) || !issuers.some(hasTenants) ? verification : others;
    return { ...rules, issuer };
  });
}

module.exports = { Tenants, acceptsOf, forEach, partsOf, readTenants, tenantOf };
