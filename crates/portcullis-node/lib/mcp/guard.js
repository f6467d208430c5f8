'use strict';

const { Guard } = require('../guard.js');
const { fieldsOf } = require('../request.js');
const { contentOf } = require('./content.js');

/** The fields that do not apply to a content that a parser has read. */
const OF_UNREAD = ['content-type', 'content-encoding'];

/**
 * Judges requests of the Model Context Protocol: by the `Authorization` field like any guard, and by the origin and the operation that
 * other fields and the content tell.
 */
class McpGuard extends Guard {
  #judgesOperations;

  constructor(verifier, endpoint) {
    super(verifier, endpoint);
    this.#judgesOperations = this.door.contentLimit([]) !== null;
    /** True if requests are handed on without their token. */
    this.takesToken = !this.door.forwardsAuthorization;
  }

  judge(authorization, several, request) {
    if (request === undefined) {
      return this.#judgeToken(authorization, several);
    }
    const [method, fields] = [methodOf(request), fieldsOf(request)];
    const message = { ...this.sender.shownBy(request), authorization, several, method, fields };
    const judge = (read) => this.judgeWhole(request, { ...message, ...read });
    const limit = this.#judgesOperations ? this.door.contentLimit(fields) : null;
    return limit === null ? judge() : judgeAfterReading(request, limit, fields, judge);
  }

  /** Judges a token alone, if no rule depends on the operation. */
  #judgeToken(authorization, several) {
    if (this.#judgesOperations) {
      throw new TypeError('verify: expected a guard without rules for tools and methods, which need the request: use verifyRequest');
    }
    return super.judge(authorization, several);
  }
}

/** The method of a request; empty if only its header fields are known. */
function methodOf({ method }) {
  return typeof method === 'string' ? method : '';
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
