export { tokenVerifier } from './mcp.js';
export type { AuthInfo, ErrorClasses, TokenVerifier, TokenVerifierOptions } from './mcp.js';
