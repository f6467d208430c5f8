import koa from './koa.js';

export const { protect, secure } = koa;
