export { protect } from './http.js';
export type { Attached } from './http.js';
