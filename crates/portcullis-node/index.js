'use strict';

const { anyOf } = require('./lib/any-of.js');
const errors = require('./lib/errors.js');
const { setLogger } = require('./lib/log.js');
const { InMemoryCache, discovery, getSimpleJwksService, jwksService, localKeys } = require('./lib/keys.js');
const { secure } = require('./lib/secure.js');

// A function with properties: `const secure = require('portcullis')` works as `const { secure } = require('portcullis')` does.
module.exports = Object.assign(secure, {
  secure,
  getSimpleJwksService,
  jwksService,
  discovery,
  localKeys,
  anyOf,
  InMemoryCache,
  errors,
  setLogger,
});
