/**
 * What the tabs of one browser tell each other: a card that changed, and that somebody signed in or
 * out. By BroadcastChannel, or where it is missing by localStorage, whose `storage` event reaches
 * every other tab; nothing is left in it.
 */

const NAME = "bursar-cards";

export class Tabs {
  #send;

  /** `onMessage(message)` gets what another tab told. */
  constructor(onMessage) {
    this.#send =
      typeof BroadcastChannel === "function" ? byChannel(onMessage) : byStorage(onMessage);
  }

  /** Another tab takes the card only for the same student, and only if its version is newer. */
  tellCard(student, card) {
    this.#send({ kind: "card", student, card });
  }

  tellSession() {
    this.#send({ kind: "session" });
  }
}

function byChannel(onMessage) {
  const channel = new BroadcastChannel(NAME);
  channel.addEventListener("message", ({ data }) => onMessage(data));
  return (message) => channel.postMessage(message);
}

function byStorage(onMessage) {
  window.addEventListener("storage", ({ key, newValue }) => {
    if (key === NAME && newValue) onMessage(JSON.parse(newValue).message);
  });
  return (message) => {
    try {
      // The id makes two equal messages in a row two events.
      localStorage.setItem(NAME, JSON.stringify({ id: crypto.randomUUID(), message }));
      localStorage.removeItem(NAME);
    } catch {
      // Storage may be forbidden or full: each tab still has its own live feed.
    }
  };
}
