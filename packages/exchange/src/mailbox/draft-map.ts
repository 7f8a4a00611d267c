/** A map that is being made from another one, which stays as it is: copied at the first change, if there is one. */
export class DraftMap<K, V> {
  readonly #from: ReadonlyMap<K, V>;
  #own: Map<K, V> | undefined;

  constructor(from: ReadonlyMap<K, V>) {
    this.#from = from;
  }

  get(key: K): V | undefined {
    return (this.#own ?? this.#from).get(key);
  }

  set(key: K, value: V): void {
    this.#own ??= new Map(this.#from);
    this.#own.set(key, value);
  }

  delete(key: K): void {
    if (this.get(key) === undefined) return;
    this.#own ??= new Map(this.#from);
    this.#own.delete(key);
  }

  /** Not to be changed afterwards. */
  done(): ReadonlyMap<K, V> {
    return this.#own ?? this.#from;
  }
}

/** Maps by a key, of which only those that change are copied. A map that becomes empty is left out. */
export class DraftNest<K, L, V> {
  readonly #outer: DraftMap<K, ReadonlyMap<L, V>>;
  readonly #drafts = new Map<K, DraftMap<L, V>>();

  constructor(from: ReadonlyMap<K, ReadonlyMap<L, V>>) {
    this.#outer = new DraftMap(from);
  }

  #draft(key: K): DraftMap<L, V> {
    const known = this.#drafts.get(key);
    if (known !== undefined) return known;
    const made = new DraftMap<L, V>(this.#outer.get(key) ?? new Map());
    this.#drafts.set(key, made);
    return made;
  }

  get(key: K, inner: L): V | undefined {
    return (this.#drafts.get(key) ?? this.#outer.get(key))?.get(inner);
  }

  set(key: K, inner: L, value: V): void {
    this.#draft(key).set(inner, value);
  }

  delete(key: K, inner: L): void {
    if (this.get(key, inner) !== undefined) this.#draft(key).delete(inner);
  }

  /** Not to be changed afterwards. */
  done(): ReadonlyMap<K, ReadonlyMap<L, V>> {
    for (const [key, draft] of this.#drafts) {
      const made = draft.done();
      if (made.size === 0) this.#outer.delete(key);
      else this.#outer.set(key, made);
    }
    return this.#outer.done();
  }
}
