export { protect, secure } from './koa.js';
export type { State } from './koa.js';
