'use strict';

const { admit } = require('../lib/plugin/admit.js');
const { Guards, split } = require('../lib/plugin/guards.js');
const { readBoolean } = require('../lib/values.js');

const OWNER = 'portcullis/fastify';

/** The decorator of instances with a guard. */
const GUARDS = Symbol('portcullis');

/** The options of `register` itself. */
const OF_REGISTER = ['prefix', 'logLevel', 'logSerializers'];

/**
 * A plugin that lets a request pass only with a valid access token that the rules allow.
 *
 * It guards all routes of the context in which it is registered, and of the contexts within. A route adds rules by
 * `config.portcullis`, and is public if that is false.
 */
async function portcullis(app, options) {
  const [{ global }, given] = split(OWNER, options, ['global']);
  refuseTwice(app);
  refuseRegister(given);
  const routes = new Routes(new Guards(OWNER, given), readBoolean(OWNER, 'global', global ?? true));
  decorate(app, routes);
  app.addHook('onRoute', ({ method, url, config }) => {
    routes.guardOf(config, `${OWNER}: ${method} ${url}`);
  });
  app.addHook('onRequest', (request, reply, done) => {
    const guard = routes.guardOf(request.routeOptions.config, `${OWNER}: ${request.method} ${request.routeOptions.url}`);
    return guard === undefined ? done() : check(guard, request, reply, done);
  });
}

/** The guards of routes by their `config.portcullis`. */
class Routes {
  #guards;
  #isGlobal;
  #byRules = new WeakMap();

  constructor(guards, isGlobal) {
    this.#guards = guards;
    this.#isGlobal = isGlobal;
  }

  /** The guard of a route; undefined if it is public. */
  guardOf(config, owner) {
    const rules = config?.portcullis;
    if (rules === undefined) {
      return this.#isGlobal ? this.#guards.own : undefined;
    }
    return rules === false ? undefined : this.guardWith(rules, `${owner}: config.portcullis`);
  }

  guardWith(rules, owner) {
    const known = this.#byRules.get(rules);
    if (known !== undefined) {
      return known;
    }
    const guard = this.#guards.with(owner, rules);
    this.#byRules.set(rules, guard);
    return guard;
  }
}

function refuseTwice(app) {
  if (Object.hasOwn(app, GUARDS)) {
    throw new TypeError(`${OWNER}: expected to be registered once in a context, got it twice: register it in a context within, or add rules to routes`);
  }
}

function refuseRegister(options) {
  const name = OF_REGISTER.find((name) => options[name] !== undefined);
  if (name !== undefined) {
    throw new TypeError(`${OWNER}: expected no \`${name}\`, which would not limit the guard: register the plugin inside a plugin with it`);
  }
}

function decorate(app, routes) {
  if (!(GUARDS in app)) {
    app.decorateRequest('auth', null);
    app.decorateRequest('claims', null);
  }
  app.decorate(GUARDS, routes);
  app.decorate('secure', (rules = {}) => {
    const guard = routes.guardWith(rules, `${OWNER}: secure`);
    return (request, reply, done) => check(guard, request, reply, done);
  });
}

/** Calls `done` if a request passes, or with an error; never if it is answered, so that no handler runs. */
function check(guard, request, reply, done) {
  const passes = admit(guard, request, {
    pass(access, fields) {
      request.auth = access;
      request.claims = access?.claims ?? null;
      reply.headers(fields);
      return true;
    },
    refuse(refusal) {
      respond(refusal, reply);
      return false;
    },
  });
  passes.then((passes) => passes === true && done(), done);
}

/** Sends the whole response to a refused request. */
function respond(refusal, reply) {
  if (reply.sent) {
    // Other code has answered while keys were fetched, for example after a time limit.
    return;
  }
  // Bytes, because Fastify changes the content type of texts.
  const body = refusal.body === '' ? undefined : Buffer.from(refusal.body);
  reply.code(refusal.status).headers(refusal.headers).send(body);
}

module.exports = Object.assign(portcullis, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'portcullis',
  [Symbol.for('plugin-meta')]: { name: 'portcullis', fastify: '5.x' },
});
