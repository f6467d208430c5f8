export { judge, protect } from './fetch.js';
