/**
 * Follows the backend for as long as the page is open.
 *
 * One loop: ask for the cards; if somebody is signed in, follow the live feed until it ends; wait a
 * little; again. So whatever was missed while the connection was gone is caught up by the same way
 * as the first load, and where websockets are blocked the page still follows, only slower.
 */

const FIRST_MS = 250;
const CAP_MS = 10_000;

/** Growing waits with full jitter: many pages do not come back in the same instant. */
export class Backoff {
  #tries = 0;

  next() {
    const most = Math.min(CAP_MS, FIRST_MS * 2 ** this.#tries);
    this.#tries = Math.min(this.#tries + 1, 10);
    return most / 2 + (Math.random() * most) / 2;
  }

  reset() {
    this.#tries = 0;
  }
}

export class LiveFeed {
  #url;
  #load;
  #onCards;
  #onCard;
  #backoff = new Backoff();
  #generation = 0;
  #socket = null;
  #wake = null;

  /**
   * `load()` asks for all cards and gives the student, null for a visitor, or undefined when it
   * failed. `onCards(list)` and `onCard(card)` take what the feed says.
   */
  constructor({ url, load, onCards, onCard }) {
    this.#url = url;
    this.#load = load;
    this.#onCards = onCards;
    this.#onCard = onCard;
  }

  /** Start, or start afresh: another session, another network. */
  restart() {
    const mine = ++this.#generation;
    this.#backoff.reset();
    this.#socket?.close();
    this.#wake?.();
    return this.#run(mine);
  }

  /** Let go: a page with an open socket is not kept for the browser's back button. */
  stop() {
    this.#generation += 1;
    this.#socket?.close();
    this.#wake?.();
  }

  /** Do not wait any longer, if this is waiting. */
  hurry() {
    this.#backoff.reset();
    this.#wake?.();
  }

  async #run(mine) {
    while (mine === this.#generation) {
      const student = await this.#load();
      if (student === null) return;
      if (student && mine === this.#generation) await this.#follow(mine);
      if (mine === this.#generation) await this.#pause();
    }
  }

  #follow(mine) {
    return new Promise((ended) => {
      const socket = new WebSocket(this.#url);
      this.#socket = socket;
      socket.addEventListener("close", ended);
      socket.addEventListener("message", ({ data }) => {
        if (mine === this.#generation) this.#take(JSON.parse(data));
      });
    });
  }

  #take(message) {
    if (message.type === "cards") {
      this.#backoff.reset();
      this.#onCards(message);
    } else if (message.type === "card") {
      this.#onCard(message.card);
    }
  }

  #pause() {
    return new Promise((over) => {
      const timer = setTimeout(over, this.#backoff.next());
      this.#wake = () => {
        clearTimeout(timer);
        over();
      };
    });
  }
}
