import fetch from './fetch.js';

export const { judge, protect } = fetch;
