export { Auth, Claims, PortcullisGuard, PortcullisModule, RefusalException, Secured } from './nestjs.js';
export type { PortcullisModuleOptions, RouteRules } from './nestjs.js';
