/** The lines around the content: offline, what went wrong, what the house is, what was announced. */

import { OFFLINE } from "./dialog.js";
import { h, icon, notice } from "./dom.js";

const DEMO = "This is a demo: its people and payments are made up.";
const SIMULATED = "Paying by card moves no real money.";

export class PageLines {
  #at;
  #retry;

  /** `at(id)` finds an element of the page; `retry()` is behind "Try again". */
  constructor({ at, retry }) {
    this.#at = at;
    this.#retry = retry;
  }

  /** Whether the backend can be reached; if so, whatever went wrong is over. */
  reached(yes) {
    this.#fill("offline", yes ? [] : [icon("wifi-off"), OFFLINE]);
    if (yes) this.trouble(null);
  }

  /** Plain words with a way out, or null. */
  trouble(text) {
    const again = h(
      "button",
      { class: "button small", type: "button", onclick: this.#retry },
      "Try again",
    );
    this.#fill("trouble", text ? [notice(text, { action: again })] : []);
  }

  /** What everybody has to know of a house that is not real. `house`: StudentHouse. */
  house({ demo, simulated }) {
    const words = [demo ? DEMO : null, simulated ? SIMULATED : null].filter(Boolean).join(" ");
    this.#fill("house", words ? [icon("info"), h("span", {}, words)] : []);
  }

  /** For a screen reader. */
  announce(text) {
    this.#at("announcer").textContent = text;
  }

  #fill(id, content) {
    const place = this.#at(id);
    place.hidden = content.length === 0;
    place.replaceChildren(...content);
  }
}
