// The store of oidc-provider, in memory and for all providers of this process, so that tokens outlive a rotation of keys.

export class Memory {
  static stored = new Map();

  constructor(model) {
    this.model = model;
  }

  key(id) {
    return `${this.model}:${id}`;
  }

  async upsert(id, payload) {
    // MCP clients register with the scope of their first request. They could never step up if it stayed their only one.
    if (this.model === 'Client') delete payload.scope;
    Memory.stored.set(this.key(id), payload);
  }

  async find(id) {
    return Memory.stored.get(this.key(id));
  }

  async findByUid(uid) {
    return this.values().find((payload) => payload.uid === uid);
  }

  async consume(id) {
    Memory.stored.get(this.key(id)).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    Memory.stored.delete(this.key(id));
  }

  async revokeByGrantId(grantId) {
    for (const [key, payload] of Memory.stored) {
      if (key.startsWith(this.key('')) && payload.grantId === grantId) Memory.stored.delete(key);
    }
  }

  /** All payloads of this model. */
  values() {
    return [...Memory.stored].filter(([key]) => key.startsWith(this.key(''))).map(([, payload]) => payload);
  }
}
