'use strict';

/** The number of an owner's objects from which collected ones are removed. */
const MANY = 64;

/** Objects that are shared by those who ask for the same, as long as one of them is in use. */
class Shared {
  #byOwner = new WeakMap();

  /** The object of this owner for this text; made if none is in use. */
  get(owner, text, make) {
    const known = this.#of(owner);
    const object = known.get(text)?.deref();
    if (object !== undefined) {
      return object;
    }
    if (known.size >= MANY) {
      sweep(known);
    }
    const made = make();
    known.set(text, new WeakRef(made));
    return made;
  }

  #of(owner) {
    const known = this.#byOwner.get(owner) ?? new Map();
    this.#byOwner.set(owner, known);
    return known;
  }
}

function sweep(known) {
  for (const [text, reference] of known) {
    if (reference.deref() === undefined) {
      known.delete(text);
    }
  }
}

module.exports = { Shared };
