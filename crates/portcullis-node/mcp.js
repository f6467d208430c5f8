'use strict';

const { SdkErrors } = require('./lib/mcp/sdk.js');
const { tokenVerifierWith } = require('./lib/mcp/token-verifier.js');

let found;

/** The errors of the installed SDK in CommonJS, whose copy differs from that of ES modules. */
function installed() {
  found ??= new SdkErrors(
    ifInstalled(() => require('@modelcontextprotocol/sdk/server/auth/errors.js')),
    ifInstalled(() => require('@modelcontextprotocol/server')),
  );
  return found;
}

function ifInstalled(load) {
  try {
    return load();
  } catch (error) {
    if (error?.code !== 'MODULE_NOT_FOUND') {
      throw error;
    }
    return undefined;
  }
}

module.exports = { tokenVerifier: tokenVerifierWith(installed) };
