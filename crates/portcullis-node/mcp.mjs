import sdk from './lib/mcp/sdk.js';
import verifier from './lib/mcp/token-verifier.js';

// The errors of the installed SDK in ES modules, whose copy differs from that of CommonJS.
const found = new sdk.SdkErrors(
  await import('@modelcontextprotocol/sdk/server/auth/errors.js').catch(unlessMissing),
  await import('@modelcontextprotocol/server').catch(unlessMissing),
);

function unlessMissing(error) {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND') {
    throw error;
  }
}

export const tokenVerifier = verifier.tokenVerifierWith(() => found);
