'use strict';

const { Guard } = require('../guard.js');
const turn = require('../turn.js');
const { contentOf } = require('./content.js');
const { credentialsBehind, messageOf, takeCredentials } = require('./message.js');

/** The fields that do not apply to a content that a parser has read. */
const OF_UNREAD = ['content-type', 'content-encoding'];

/**
 * Judges requests of the Model Context Protocol: by the `Authorization` field like any guard, and by the origin and the operation that
 * other fields and the content tell.
 */
class McpGuard extends Guard {
  #judgesOperations;
  #forwardsAuthorization;

  constructor(verifier, endpoint) {
    super(verifier, endpoint);
    this.#judgesOperations = this.door.contentLimit('POST', []) !== null;
    this.#forwardsAuthorization = this.door.forwardsAuthorization;
  }

  judge(authorization, several, request) {
    if (request === undefined) {
      return this.#judgeToken(authorization, several);
    }
    const { method, fields } = messageOf(request);
    const field = authorization ?? credentialsBehind(request);
    const judge = (read) =>
      this.conclude(this.door.judgeMessage({ authorization: field, several, method, fields, ...read }, turn.hasTime()), field);
    const limit = this.#judgesOperations ? this.door.contentLimit(method, fields) : null;
    return limit === null ? judge() : judgeAfterReading(request, limit, fields, judge);
  }

  /** Judges a token alone, if no rule depends on the operation. */
  #judgeToken(authorization, several) {
    if (this.#judgesOperations) {
      throw new TypeError('verify: expected a guard without rules for tools and methods, which need the request: use verifyRequest');
    }
    return super.judge(authorization, several);
  }

  /** Takes the token off a request that passes, unless the handlers may have it. */
  letGo(req) {
    if (!this.#forwardsAuthorization) {
      takeCredentials(req);
    }
  }
}

async function judgeAfterReading(request, limit, fields, judge) {
  const { isParsed, ...read } = await contentOf(request, limit);
  return judge(isParsed ? { ...read, fields: ofParsed(fields) } : read);
}

/** The fields of a request whose content a parser has read: the handler gets a result of JSON, whatever the client has sent. */
function ofParsed(fields) {
  const pairs = fields.flatMap((name, index) => (index % 2 === 0 ? [[name, fields[index + 1]]] : []));
  const kept = pairs.filter(([name]) => !OF_UNREAD.includes(name.toLowerCase()));
  return [...kept.flat(), 'content-type', 'application/json'];
}

module.exports = { McpGuard };
