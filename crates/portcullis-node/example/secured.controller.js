'use strict';

const express = require('express');

const { getSimpleJwksService, secure } = require('portcullis');
const settings = require('./settings');

const router = express.Router();
const jwksService = getSimpleJwksService(settings.jwks_uri);

// Any good token.
router.get('/token', secure(jwksService), sendSecured);

// A token that was granted the scope `read`.
router.get('/scope', secure(jwksService, { scope: ['read'] }), sendSecured);

// A token with `sub`, and with this value in `myClaim`.
const claims = [{ name: 'sub' }, { name: 'myClaim', value: 'someRequiredValue' }];
router.get('/claim', secure(jwksService, { claims }), sendSecured);

function sendSecured(req, res) {
  res.json({ data: 'Some data from a secured endpoint.', claims: req.claims });
}

module.exports = router;
