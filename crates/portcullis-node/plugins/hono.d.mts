export { protect, secure } from './hono.js';
export type { Variables } from './hono.js';
