import portcullis from './fastify.js';
export default portcullis;
export type Options = portcullis.Options;
export type RouteRules = portcullis.RouteRules;
