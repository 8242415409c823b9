/**
 * From "Enroll Now" to "I have paid": choose how to pay, then see where to pay.
 *
 * It closes by itself as soon as there is nothing left to pay here, whichever tab or device did it.
 */

import { bankDetails } from "./bank-details.js";
import { makeDialog } from "./dialog.js";
import { busyButton, h, icon, notice } from "./dom.js";
import { formatRand } from "./money.js";

// Which steps of the dialog fit which action of the card.
const STEPS = { enroll: ["choose", "enroll"], pay: ["enroll", "load", "pay"] };

export class PaymentDialog {
  #api;
  #onCard;
  #dialog = makeDialog();
  #trouble = h("div");
  #card = null;
  #step = null;

  /** `onCard(card)` takes a card that the backend answered with. */
  constructor({ api, onCard }) {
    this.#api = api;
    this.#onCard = onCard;
    this.#dialog.onClose = () => {
      this.#card = null;
    };
  }

  open(card) {
    this.#card = card;
    if (card.action === "pay") this.#load();
    else this.#choose();
    this.#dialog.open();
  }

  close() {
    this.#dialog.close();
  }

  /** The cards changed: `card(course)` gives what is true now. */
  follow(cardOf) {
    if (!this.#card) return;
    const now = cardOf(this.#card.course);
    const steps = STEPS[now?.action] ?? [];
    if (steps.includes(this.#step)) {
      this.#card = now;
    } else if (now?.action === "pay") {
      this.#card = now; // enrolled in another tab: the next step is the same for both
      this.#load();
    } else {
      this.close();
    }
  }

  #show(step, title, ...content) {
    this.#step = step;
    this.#trouble.replaceChildren();
    this.#dialog.title = title;
    this.#dialog.body.replaceChildren(...content);
  }

  #choose() {
    const submit = busyButton({
      label: "Enroll and see bank details",
      busy: "Reserving your place…",
      type: "submit",
    });
    const form = h(
      "form",
      { onsubmit: (event) => this.#enroll(event, submit) },
      h(
        "p",
        { class: "sum" },
        h("span", {}, this.#card.title),
        h("strong", {}, formatRand(this.#card.price_cents)),
      ),
      h(
        "fieldset",
        {},
        h("legend", {}, "How would you like to pay?"),
        h(
          "label",
          { class: "choice" },
          h("input", {
            type: "radio",
            name: "method",
            value: "eft",
            checked: true,
            autofocus: true,
          }),
          icon("landmark"),
          h(
            "span",
            {},
            "EFT (bank transfer)",
            h("small", {}, "Pay from your bank. We check it and open the course."),
          ),
        ),
      ),
      this.#trouble,
      h("div", { class: "actions" }, this.#quiet("Not now"), submit),
    );
    this.#show("choose", "Enroll", form);
  }

  #enroll(event, submit) {
    event.preventDefault();
    const { course } = this.#card;
    const method = new FormData(event.target).get("method");
    submit.run(async () => {
      this.#step = "enroll";
      const payment = await this.#attempt(course, () => this.#api.enroll(course, method));
      if (this.#card?.course !== course) return;
      if (payment) this.#take(payment);
      else if (this.#card.action === "pay") this.#load();
      else this.#step = "choose";
    });
  }

  async #load() {
    const { course } = this.#card;
    this.#show(
      "load",
      "Pay by EFT",
      h("p", { class: "loading", role: "status" }, "Fetching the bank details…"),
      this.#trouble,
    );
    const payment = await this.#attempt(course, () => this.#api.payment(course));
    if (this.#card?.course !== course || this.#step !== "load") return;
    if (payment) {
      this.#take(payment);
      return;
    }
    const again = busyButton({ label: "Try again", busy: "Fetching…", iconName: "refresh-cw" });
    again.addEventListener("click", () => again.run(() => this.#load()));
    this.#dialog.body.replaceChildren(
      this.#trouble,
      h("div", { class: "actions" }, this.#quiet("Not now"), again),
    );
    again.focus();
  }

  /** Show the details first: the card that follows then finds its step done. */
  #take(payment) {
    this.#pay(payment);
    this.#onCard(payment.card);
  }

  #pay({ card, bank }) {
    const paid = busyButton({
      label: "I have paid",
      busy: "Telling the finance office…",
      iconName: "check",
    });
    paid.addEventListener("click", () => this.#submit(card.course, paid));
    const details = bankDetails(bank, (text) => this.#dialog.say(text));
    this.#show(
      "pay",
      "Pay by EFT",
      h(
        "p",
        { class: "sum" },
        h("span", {}, card.title),
        h("strong", {}, formatRand(bank.amount_cents)),
      ),
      details,
      this.#trouble,
      h("div", { class: "actions" }, this.#quiet("Pay later"), paid),
    );
    details.focusFirst();
  }

  #submit(course, paid) {
    paid.run(async () => {
      const card = await this.#attempt(course, () => this.#api.submitEft(course));
      // A dialog that closed meanwhile may belong to another student: the live feed tells the rest.
      if (card && this.#card?.course === course) this.#onCard(card);
    });
  }

  /** What `ask` answered, or null after the trouble was told in place. */
  async #attempt(course, ask) {
    this.#trouble.replaceChildren();
    try {
      return await ask();
    } catch (error) {
      if (this.#card?.course === course) this.#trouble.replaceChildren(notice(error.message));
      return null;
    }
  }

  #quiet(label) {
    return h(
      "button",
      { class: "button quiet", type: "button", onclick: () => this.close() },
      label,
    );
  }
}
