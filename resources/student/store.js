/**
 * What the page knows: who is signed in, and one card per course.
 *
 * Events: `student` when somebody else is signed in than before, `cards` after every change, with
 * `detail.changed`: [{ card, before }] for cards of the same student that now say something else.
 */
export class Store extends EventTarget {
  #cards = new Map();
  student = null;
  loaded = false;

  get cards() {
    return [...this.#cards.values()];
  }

  card(course) {
    return this.#cards.get(course) ?? null;
  }

  /** The backend's whole word, from the live feed: it replaces everything. */
  replace({ student, cards }) {
    this.#take(student, cards, () => true);
  }

  /** A list that may be older than what is shown: no card goes back to an older version. */
  merge({ student, cards }) {
    this.#take(student, cards, (card, before) => card.version >= before.version);
  }

  /** One card; an older or equal version changes nothing. Returns whether it was taken. */
  apply(card) {
    const before = this.#cards.get(card.course);
    if (before && card.version <= before.version) return false;
    this.#cards.set(card.course, card);
    this.#tell([{ card, before }]);
    return true;
  }

  /** Nobody is signed in any more: nothing of the student stays on the screen. */
  clear() {
    this.#take(null, [], () => true, { loaded: false });
  }

  #take(student, cards, wins, { loaded = true } = {}) {
    const another = (student?.id ?? null) !== (this.student?.id ?? null);
    const old = another ? new Map() : this.#cards;
    const pairs = cards.map((card) => ({ card, before: old.get(card.course) }));
    this.#cards = new Map(
      pairs.map(({ card, before }) => [card.course, before && !wins(card, before) ? before : card]),
    );
    this.student = student;
    this.loaded = loaded;
    if (another) this.dispatchEvent(new Event("student"));
    this.#tell(pairs.map(({ card, before }) => ({ card: this.card(card.course), before })));
  }

  #tell(pairs) {
    const changed = pairs.filter(({ card, before }) => before && saysElse(card, before));
    this.dispatchEvent(new CustomEvent("cards", { detail: { changed } }));
  }
}

function saysElse(card, before) {
  return ["label", "action", "enabled", "message", "payment", "can_ask"].some((name) => card[name] !== before[name]);
}
