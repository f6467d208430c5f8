import http from './http.js';

export const { protect } = http;
