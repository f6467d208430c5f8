import portcullis from './index.js';

export const {
  secure,
  protectedResource,
  getSimpleJwksService,
  jwksService,
  discovery,
  localKeys,
  anyOf,
  InMemoryCache,
  errors,
  setLogger,
} = portcullis;
export default portcullis;
