import { inspect } from 'node:util';

const mask = '********';

/**
 * A value that does not show itself: printing, inspecting or serialising it, or the object that holds it, gives a
 * mask. Only `reveal()` gives the value, so every place that reads a secret can be found by that word.
 */
export class Secret<Value> {
  readonly #value: Value;
  constructor(value: Value) {
    this.#value = value;
    Object.freeze(this);
  }
  reveal(): Value {
    return this.#value;
  }
  toString(): string {
    return mask;
  }
  toJSON(): string {
    return mask;
  }
  [inspect.custom](): string {
    return mask;
  }
}
