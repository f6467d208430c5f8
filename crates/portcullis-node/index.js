'use strict';

const { anyOf } = require('./lib/any-of.js');
const { exchanger } = require('./lib/endpoint/exchanger.js');
const { introspector } = require('./lib/endpoint/introspector.js');
const errors = require('./lib/errors.js');
const { setLogger } = require('./lib/log.js');
const { InMemoryCache, discovery, getSimpleJwksService, jwksService, localKeys } = require('./lib/keys.js');
const { mcp, protectedResource } = require('./lib/resource/protected-resource.js');
const { secure } = require('./lib/secure.js');

// A function with properties, so that `const secure = require('portcullis')` works too.
module.exports = Object.assign(secure, {
  secure,
  protectedResource,
  mcp,
  getSimpleJwksService,
  jwksService,
  discovery,
  localKeys,
  anyOf,
  introspector,
  exchanger,
  InMemoryCache,
  errors,
  setLogger,
});
