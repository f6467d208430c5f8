import nestjs from './nestjs.js';

export const { Auth, Claims, PortcullisGuard, PortcullisModule, RefusalException, Secured } = nestjs;
