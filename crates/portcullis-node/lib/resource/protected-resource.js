'use strict';

const { Guard } = require('../guard.js');
const { DESCRIPTION, ENDPOINT, MCP, VERIFICATION, configured, pick, readObject, refuseUnknown } = require('../library.js');
const { McpGuard } = require('../mcp/guard.js');
const { middleware } = require('../middleware.js');
const { readDescription, readOptions } = require('../options.js');
const { Verifier } = require('../verifier.js');
const { answers, documentRouter } = require('./document.js');
const { ISSUER, NOT_OF_ISSUERS, branchesOf } = require('./issuers.js');

/** The shortest description of a resource. */
const EXAMPLE = "{ resource: 'https://api.example.com', issuer: 'https://login.example.com' }";

/** The options for the issuers of a resource. */
const ISSUERS = ['issuers', ...ISSUER];

/** Options that a resource does not have, with the reasons: each guard has rules of its own. */
const NOT_OF_RESOURCES = {
  ...Object.fromEntries(ENDPOINT.map((name) => [name, `it is an option of the guard: \`guard({ ${name}: … })\``])),
  ...NOT_OF_ISSUERS,
};

/**
 * Describes a protected resource once (RFC 9728). From it come the document by which clients discover it, the audience of its
 * tokens, and the challenges of its guards.
 */
function protectedResource(options) {
  const owner = 'protectedResource';
  const given = readObject(owner, EXAMPLE, options);
  refuseUnknown(given, [...DESCRIPTION, ...ISSUERS], owner, NOT_OF_RESOURCES);
  return mounted(owner, resourceOf(owner, given));
}

/** The same for a server of the Model Context Protocol, whose rules stand beside the description. */
function mcp(options) {
  const owner = 'mcp';
  const given = readObject(owner, EXAMPLE, options);
  const description = DESCRIPTION.filter((name) => name !== 'mcp');
  refuseUnknown(given, [...description, ...MCP, ...ISSUERS], owner, NOT_OF_RESOURCES);
  const rules = Object.fromEntries(Object.entries(pick(given, MCP)).filter(([, value]) => value !== undefined));
  return mounted(owner, resourceOf(owner, { ...given, mcp: rules }));
}

/** The verifier of the tokens for a resource. */
function resourceOf(owner, options) {
  const [description, branches] = [readDescription(options, owner), branchesOf(owner, options)];
  return configured(owner, () => Verifier.ofResource(description, branches));
}

function mounted(owner, verifier) {
  return {
    router: documentRouter(verifier),
    guard: (options) => guarded(`${owner}: guard`, verifier, options),
  };
}

/** Middleware for a part of the resource, with rules of its own. It lets no request for the document wait for a token. */
function guarded(owner, verifier, options = {}) {
  const { verification, endpoint } = readOptions(options, owner);
  const misplaced = VERIFICATION.find((name) => verification[name] !== undefined) ?? (endpoint.introspection && 'introspection');
  if (misplaced !== undefined) {
    throw new TypeError(`${owner}: expected \`${misplaced}\` in the description of the resource, got it in its guard`);
  }
  const Kind = verifier.isMcpServer ? McpGuard : Guard;
  const pass = middleware(configured(owner, () => new Kind(verifier, endpoint)), endpoint);
  const guard = (req, res, next) => (answers(verifier, req, res) ? undefined : pass(req, res, next));
  return Object.assign(guard, pass);
}

module.exports = { EXAMPLE, guarded, mcp, protectedResource, resourceOf };
