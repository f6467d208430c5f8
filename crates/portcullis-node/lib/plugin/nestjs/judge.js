'use strict';

const { STATUS_CODES } = require('node:http');

const { HttpException } = require('@nestjs/common');

const { attach } = require('../../attach.js');
const { admit } = require('../admit.js');
const { Guards } = require('../guards.js');
const { checkMethods, rulesOf } = require('./rules.js');

const OWNER = 'portcullis/nestjs';

/** The exception for a refused request: its status is that of the refusal, whose fields the response has already. */
class RefusalException extends HttpException {
  constructor(refusal) {
    super(contentOf(refusal), refusal.status, { cause: refusal });
    this.refusal = refusal;
  }
}

/** Problem details, or Nest's own object for an error. */
function contentOf({ body, message, status }) {
  return body === '' ? HttpException.createBody(message, STATUS_CODES[status], status) : JSON.parse(body);
}

/** Judges the requests of an app by the rules of its module, and of the class and the method of each handler. */
class Judge {
  #guards;
  #modules;
  /** The guards of handlers, by class; a handler may belong to several, which inherit it. */
  #known = new WeakMap();
  /** The answers for contexts: a guard that stands before a handler twice is asked once. */
  #answers = new WeakMap();

  constructor(options, modules) {
    this.#guards = Judge.check(options);
    this.#modules = modules;
  }

  /** Reads the options; throws a TypeError for unexpected ones. */
  static check(options) {
    if (options?.next !== undefined) {
      throw new TypeError(`${OWNER}: expected no \`next\`, because refusals go to the exception filters always`);
    }
    return new Guards(OWNER, options);
  }

  /** Makes the guards of all handlers at the start of the app, so that mistaken rules are errors there. */
  onModuleInit() {
    for (const { controllers } of this.#modules.values()) {
      for (const { metatype: Class } of controllers.values()) {
        checkMethods(OWNER, Class).forEach((handler) => this.#guardFor(Class, handler));
      }
    }
  }

  /** Resolves to true for a request that passes; rejects for any other. */
  allows(context) {
    const known = this.#answers.get(context);
    if (known !== undefined) {
      return known;
    }
    const answer = this.#judge(context);
    this.#answers.set(context, answer);
    return answer;
  }

  async #judge(context) {
    const guard = this.#guardFor(context.getClass(), context.getHandler());
    if (guard === null) {
      return true;
    }
    const [request, response] = [requestOf(context), context.switchToHttp().getResponse()];
    return admit(guard, request, {
      pass(access, fields) {
        attach(request, access ?? undefined);
        setFields(response, fields);
        return true;
      },
      refuse(refusal) {
        // The type of the content is for the exception filters, which write the content.
        const { 'content-type': _, ...fields } = refusal.headers;
        setFields(response, fields);
        throw new RefusalException(refusal);
      },
    });
  }

  /** The guard for a handler of a class; null for a public one. */
  #guardFor(Class, handler) {
    const known = this.#known.get(handler) ?? new WeakMap();
    this.#known.set(handler, known);
    if (!known.has(Class)) {
      known.set(Class, this.#makeGuard(Class, handler));
    }
    return known.get(Class);
  }

  #makeGuard(Class, handler) {
    const rules = rulesOf(Class, handler);
    if (rules === false) {
      return null;
    }
    return rules.length === 0 ? this.#guards.own : this.#guards.with(`${OWNER}: @Secured of ${Class.name}.${handler.name}`, ...rules);
  }
}

/** The request of an adapter: Express's or Fastify's. */
function requestOf(context) {
  if (context.getType() !== 'http') {
    throw new TypeError(`${OWNER}: expected an HTTP request, got a context of ${context.getType()}: judge its token by \`verify\` of a guard`);
  }
  return context.switchToHttp().getRequest();
}

/** Sets fields of a response of Express or Fastify, unless other code has answered while keys were fetched. */
function setFields(response, fields) {
  if (!(response.headersSent ?? response.sent)) {
    Object.entries(fields).forEach(([name, value]) => response.header(name, value));
  }
}

module.exports = { Judge, RefusalException, requestOf };
