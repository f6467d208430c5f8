import { type CanActivate, type DynamicModule, type ExecutionContext, HttpException, type ModuleMetadata } from '@nestjs/common';

import portcullis = require('../index.js');
import type { PluginOptions, RouteRules as Rules } from './options.js';

/** The options of the module. */
export type PortcullisModuleOptions = PluginOptions & { next?: never };

/** The rules of a class or a method, in addition to those around. */
export type RouteRules = Rules;

interface Global {
  /** Guards all handlers: true by default. If false, only those with `@Secured` or `@UseGuards(PortcullisGuard)`. */
  global?: boolean;
}

/**
 * The module with the keys and the rules for all handlers.
 *
 * @example
 * ```ts
 * @Module({ imports: [PortcullisModule.forRoot({ keys, audience: 'https://api.example.com' })], controllers: [Orders] })
 * class AppModule {}
 * ```
 */
export declare class PortcullisModule {
  /** @throws TypeError if an option is invalid */
  static forRoot(options: PortcullisModuleOptions & Global): DynamicModule;

  /** The same with options from a factory, to which other providers may be injected. */
  static forRootAsync(
    options: Global & {
      imports?: NonNullable<ModuleMetadata['imports']>;
      inject?: any[];
      useFactory: (...dependencies: any[]) => PortcullisModuleOptions | Promise<PortcullisModuleOptions>;
    },
  ): DynamicModule;
}

/** A guard that lets a request pass only with a valid access token that the rules of module, class and method allow. */
export declare class PortcullisGuard implements CanActivate {
  private constructor();
  canActivate(context: ExecutionContext): Promise<boolean>;
}

/** The exception for a refused request: its status is that of the refusal, whose fields the response has already. */
export declare class RefusalException extends HttpException {
  private constructor();
  /** The refusal, with its code. */
  readonly refusal: portcullis.errors.RefusalError;
}

/**
 * Adds rules for a class or a method, or makes it public by `false`.
 *
 * @example
 * ```ts
 * @Secured({ scope: 'orders:read' })
 * @Controller('orders')
 * class Orders {
 *   @Secured({ scope: 'orders:write' })
 *   @Post()
 *   create(@Claims() claims) {}
 * }
 * ```
 *
 * @throws TypeError if a rule is invalid
 */
export declare function Secured(rules?: RouteRules | false): ClassDecorator & MethodDecorator;

/** A parameter with the `Access` of the request; null if it has passed without a token. */
export declare function Auth(): ParameterDecorator;

/** A parameter with the claims of the request's token, or with the claim of this name or JSON Pointer. */
export declare function Claims(name?: string): ParameterDecorator;
