/**
 * Has the backend ask the provider about card payments that are under way.
 *
 * The live feed brings the news; this is for the callback that does not come. Only a page that is
 * looked at asks: at once when somebody comes back to it, then after growing waits, at last not any
 * more (the backend goes on by itself).
 */

const FIRST_MS = 10_000; // the backend does not ask the provider more often than that
const CAP_MS = 60_000;
const MOST_ASKS = 20;

export class CardWatch {
  #check;
  #watched = new Map(); // course -> { timer, asks, asking }
  #looking = true;

  /** `check(course)` asks; it is asynchronous and tells its own trouble. */
  constructor({ check }) {
    this.#check = check;
  }

  /** The cards as they are now. */
  follow(cards) {
    const open = new Set(cards.filter(isOpen).map((card) => card.course));
    for (const [course, watched] of this.#watched) {
      if (open.has(course)) continue;
      clearTimeout(watched.timer);
      this.#watched.delete(course);
    }
    for (const course of open) {
      if (this.#watched.has(course)) continue;
      this.#watched.set(course, { timer: null, asks: 0, asking: false });
      this.#plan(course);
    }
  }

  /** Somebody came back: ask about all of them at once, and often enough again. */
  hurry() {
    this.#looking = true;
    for (const [course, watched] of this.#watched) {
      watched.asks = 0;
      this.#ask(course);
    }
  }

  /** Nobody looks at the page: wait for `hurry`. */
  rest() {
    this.#looking = false;
    for (const { timer } of this.#watched.values()) clearTimeout(timer);
  }

  #plan(course) {
    const watched = this.#watched.get(course);
    if (!watched) return;
    clearTimeout(watched.timer);
    if (!this.#looking || watched.asks >= MOST_ASKS) return;
    const wait = Math.min(CAP_MS, FIRST_MS * 1.5 ** watched.asks);
    watched.timer = setTimeout(() => this.#ask(course), wait);
  }

  async #ask(course) {
    const watched = this.#watched.get(course);
    if (watched.asking) return;
    clearTimeout(watched.timer);
    watched.asks += 1;
    watched.asking = true;
    await this.#check(course);
    watched.asking = false;
    this.#plan(course);
  }
}

function isOpen(card) {
  return card.action === "pay" && card.payment === "processing";
}
