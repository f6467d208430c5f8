import portcullis from './index.js';

export const {
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
} = portcullis;
export default portcullis;
