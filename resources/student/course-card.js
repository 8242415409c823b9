/**
 * `<course-card>`: one course as this student sees it.
 *
 * Property `card`: a CardView of the backend (label, action, enabled, message, price and so on).
 * Event `course-action`, bubbling, `detail.card`: the button was pressed.
 */

import { h, icon } from "./dom.js";
import { formatRand } from "./money.js";

const ICONS = {
  sign_up: "user",
  enroll: "graduation-cap",
  pay: "banknote",
  wait: "hourglass",
  continue: "book-open",
};

let made = 0;

export class CourseCard extends HTMLElement {
  #card = null;
  #heading = h("h2", { id: `course-${++made}` });
  #summary = h("p", { class: "summary" });
  #price = h("p", { class: "price" });
  #message = h("p", { class: "message" });
  #label = h("span");
  #sign = h("span", { class: "sign" });
  #button = h(
    "button",
    {
      class: "button primary",
      type: "button",
      "aria-describedby": this.#heading.id,
      onclick: () => this.#press(),
    },
    this.#sign,
    this.#label,
  );

  connectedCallback() {
    if (this.firstChild) return;
    this.tabIndex = -1;
    this.append(
      h("div", { class: "about" }, this.#heading, this.#summary),
      h(
        "div",
        { class: "foot" },
        this.#message,
        h("div", { class: "act" }, this.#price, this.#button),
      ),
    );
    this.addEventListener("animationend", () => this.classList.remove("changed"));
  }

  get card() {
    return this.#card;
  }

  set card(card) {
    this.#card = card;
    this.dataset.course = card.course;
    this.dataset.action = card.action;
    this.dataset.payment = card.payment ?? "";
    this.dataset.tone = tone(card);
    this.dataset.version = card.version;
    this.#heading.textContent = card.title;
    this.#summary.textContent = card.summary;
    this.#price.textContent = formatRand(card.price_cents);
    this.#label.textContent = card.label;
    this.#sign.replaceChildren(icon(buttonIcon(card)));
    this.#message.hidden = !card.message;
    this.#message.replaceChildren(icon(messageIcon(card)), h("span", {}, card.message));
    this.#enable(card.enabled);
  }

  /** Show calmly that something changed here. */
  flash() {
    this.classList.remove("changed");
    void this.offsetWidth; // lets the animation start again
    this.classList.add("changed");
  }

  /** Put the keyboard where the next step is. */
  focusAction() {
    (this.#button.disabled ? this : this.#button).focus();
  }

  #enable(enabled) {
    // A disabled button drops the focus: the card holds it until the button can have it back.
    const held = document.activeElement === this.#button || document.activeElement === this;
    this.#button.disabled = !enabled;
    if (held) this.focusAction();
  }

  #press() {
    this.dispatchEvent(
      new CustomEvent("course-action", { bubbles: true, detail: { card: this.#card } }),
    );
  }
}

/** Nothing to wait for and nothing to press: only a person can help. */
function closed({ action, label }) {
  return action === "wait" && label !== "Pending Approval";
}

function processing(card) {
  return card.action === "pay" && card.payment === "processing";
}

function tone(card) {
  const failed = card.action === "pay" && card.payment === "failed";
  return closed(card) || failed || card.action === "enroll" ? "attention" : card.action;
}

function buttonIcon(card) {
  if (closed(card)) return "lock";
  return processing(card) ? "hourglass" : ICONS[card.action];
}

function messageIcon(card) {
  if (tone(card) === "attention") return "circle-alert";
  return card.action === "wait" || processing(card) ? "clock" : "info";
}

customElements.define("course-card", CourseCard);
