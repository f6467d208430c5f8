import portcullis from './fastify.js';

export default portcullis;
