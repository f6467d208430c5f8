import hono from './hono.js';

export const { protect, secure } = hono;
