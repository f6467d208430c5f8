import portcullis from './index.js';

export const { secure, getSimpleJwksService, jwksService, discovery, localKeys, anyOf, InMemoryCache, errors, setLogger } =
  portcullis;
export default portcullis;
