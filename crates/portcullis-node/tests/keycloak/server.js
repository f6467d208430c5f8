'use strict';

// An Express server behind the package, set up like the other doors of the gateway's tests with Keycloak
// (crates/portcullis-gateway/tests/keycloak/doors.rs). It prints its address in one line and ends with its standard input.

const express = require('express');
const { discovery, secure } = require('../..');

const { ISSUER, AUDIENCE } = process.env;
const jwks = discovery({ issuer: ISSUER });
const guard = (rules) => secure(jwks, { audience: AUDIENCE, problemJson: true, ...rules });
const answer = (req, res) => res.send(req.claims.sub);

const app = express();
app.get('/plain', guard({}), answer);
app.get('/gold', guard({ acr: ['gold'] }), answer);
app.get('/recent', guard({ maxAge: 5 }), answer);
app.get('/transfer', guard({ acr: ['gold'], maxAge: 5 }), answer);
app.get('/dpop', guard({ dpop: { use: 'required', publicUrl: AUDIENCE } }), answer);

const server = app.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
process.stdin.resume().on('end', () => process.exit());
