'use strict';

const { read } = require('../request.js');

/** The beginning of the path of every resource's document (RFC 9728 section 3). */
const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/** Middleware that answers requests for the document of a resource; all others pass. */
function documentRouter(verifier) {
  return (req, res, next) => (answers(verifier, req, res) ? undefined : next());
}

/** Answers a request for the document of a resource, which is at one path; returns false for any other request. */
function answers(verifier, req, res) {
  // Express takes the path of a mounted app or router off `url`.
  const target = read(req, 'originalUrl') ?? read(req, 'url');
  if (typeof target !== 'string' || !target.startsWith(WELL_KNOWN)) {
    return false;
  }
  const [path] = target.split('?', 1);
  const answer = verifier.native.metadata(req.method, path);
  if (answer === null) {
    return false;
  }
  res.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers)) {
    res.setHeader(name, value);
  }
  res.end(answer.body);
  return true;
}

module.exports = { answers, documentRouter };
