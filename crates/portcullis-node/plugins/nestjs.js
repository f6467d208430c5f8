'use strict';

const { Inject, Injectable, Module, UseGuards, createParamDecorator } = require('@nestjs/common');
const { APP_GUARD, ModulesContainer } = require('@nestjs/core');

const { find } = require('../lib/claims.js');
const { split } = require('../lib/plugin/guards.js');
const { Judge, RefusalException, requestOf } = require('../lib/plugin/nestjs/judge.js');
const { addRules } = require('../lib/plugin/nestjs/rules.js');
const { readBoolean } = require('../lib/values.js');

const OWNER = 'portcullis/nestjs';

/** The tokens for injection. */
const OPTIONS = Symbol('portcullis: options');
const JUDGE = Symbol('portcullis: judge');

/** A guard that lets a request pass only with a valid access token that the rules of module, class and method allow. */
class PortcullisGuard {
  #judge;

  constructor(judge) {
    this.#judge = judge;
  }

  canActivate(context) {
    return this.#judge.allows(context);
  }
}
Injectable()(PortcullisGuard);
Inject(JUDGE)(PortcullisGuard, undefined, 0);

/** The module with the keys and the rules for all handlers, or for those with `@Secured` alone if `global` is false. */
class PortcullisModule {
  static forRoot(options) {
    const [{ global }, given] = split(OWNER, options, ['global']);
    Judge.check(given);
    return moduleOf({ global, options: { provide: OPTIONS, useValue: given } });
  }

  /** The same with options from a factory, to which other providers may be injected. */
  static forRootAsync({ imports = [], inject = [], useFactory, global }) {
    return moduleOf({ global, imports, options: { provide: OPTIONS, inject, useFactory } });
  }
}
Module({})(PortcullisModule);

function moduleOf({ global, imports = [], options }) {
  const judge = { provide: JUDGE, inject: [OPTIONS, ModulesContainer], useFactory: (...parts) => new Judge(...parts) };
  const everywhere = readBoolean(OWNER, 'global', global ?? true) ? [{ provide: APP_GUARD, useClass: PortcullisGuard }] : [];
  return { module: PortcullisModule, global: true, imports, providers: [options, judge, ...everywhere], exports: [JUDGE] };
}

/** Adds rules for a class or a method, or makes it public by `false`. */
function Secured(rules = {}) {
  return (target, key, descriptor) => {
    addRules(`${OWNER}: @Secured`, rules, target, key, descriptor);
    UseGuards(PortcullisGuard)(target, key, descriptor);
  };
}

/** A parameter with the `Access` of the request; null if it has passed without a token. */
const Auth = createParamDecorator((_, context) => requestOf(context).auth ?? null);

/** A parameter with the claims of the request's token, or with the claim of this name or JSON Pointer. */
const Claims = createParamDecorator((name, context) => {
  const claims = requestOf(context).claims ?? null;
  return name === undefined || claims === null ? claims : find(claims, name);
});

module.exports = { PortcullisModule, PortcullisGuard, RefusalException, Secured, Auth, Claims };
