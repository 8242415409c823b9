/**
 * From "Enroll Now" to a course that is paid for: choose how to pay, pay, see what became of it.
 *
 * It follows the card of its course, whichever tab or device changes it, and closes by itself as
 * soon as there is nothing left to pay here. Only who paid by card is told so before it closes.
 */

import { bankPayment } from "./bank-payment.js";
import { cardPayment, confirmed, leaving } from "./card-payment.js";
import { makeDialog } from "./dialog.js";
import { busyButton, h, notice } from "./dom.js";
import { methodChoice } from "./method-choice.js";
import { formatRand } from "./money.js";
import { leaveFor } from "./returning.js";

// Steps that stay as they are while something is still to be paid.
const STEADY = ["enroll", "load", "bank", "start", "leave"];

export class PaymentDialog {
  #api;
  #onCard;
  #onContinue;
  #dialog = makeDialog();
  #trouble = h("div");
  #card = null;
  #step = null;
  #payment = null; // what the backend last said of paying
  #outcome = null; // how the student came back from the provider's page
  #byCard = false; // what is shown is about a card payment

  /** What can be paid with here: StudentHouse of the backend. */
  house = { methods: [], simulated: false };

  /** `onCard(card)` takes a card that the backend answered with, `onContinue(card)` opens it. */
  constructor({ api, onCard, onContinue }) {
    this.#api = api;
    this.#onCard = onCard;
    this.#onContinue = onContinue;
    this.#dialog.onClose = () => {
      this.#card = null;
    };
  }

  open(card) {
    this.#begin(card, { outcome: null, byCard: false });
    if (card.action === "pay") this.#load();
    else this.#choose();
    this.#dialog.open();
  }

  /** Back from the provider's page, which says `outcome`. */
  comeBack(card, outcome) {
    if (card.action !== "pay" && card.action !== "continue") return;
    this.#begin(card, { outcome, byCard: true });
    if (card.action === "pay") this.#load();
    else this.#confirmed();
    this.#dialog.open();
  }

  close() {
    this.#dialog.close();
  }

  /** Whether the backend can be reached. */
  set reached(yes) {
    this.#dialog.offline = !yes;
  }

  /** The cards changed: `cardOf(course)` gives what is true now. */
  follow(cardOf) {
    if (!this.#card) return;
    const now = cardOf(this.#card.course);
    const choosing = ["choose", "enroll"].includes(this.#step);
    if (now?.action === "pay") this.#followPaying(now);
    else if (now?.action === "continue" && this.#byCard) this.#confirmed(now);
    else if (now?.action === "enroll" && choosing) this.#card = now;
    else this.close();
  }

  #followPaying(now) {
    const changed = now.version !== this.#payment?.card.version;
    this.#card = now;
    if (STEADY.includes(this.#step)) return;
    // Enrolled in another tab: the next step is the same for both.
    if (this.#step === "choose") this.#load();
    else if (changed) this.#refresh();
  }

  #begin(card, { outcome, byCard }) {
    this.#card = card;
    this.#payment = null;
    this.#outcome = outcome;
    this.#byCard = byCard;
  }

  #show(step, title, ...content) {
    this.#step = step;
    this.#trouble.replaceChildren();
    this.#dialog.title = title;
    this.#dialog.body.replaceChildren(...content);
  }

  // --- choosing ------------------------------------------------------------------------------

  #choose() {
    const { methods, simulated } = this.house;
    this.#show(
      "choose",
      "Enroll",
      methodChoice({
        methods: methods.length > 0 ? methods : ["eft"], // the backend tells why there is none
        simulated,
        choose: (method, button) => this.#enroll(method, button),
        trouble: this.#trouble,
        away: this.#quiet("Not now"),
        sum: this.#sum(),
      }),
    );
  }

  #enroll(method, button) {
    const { course } = this.#card;
    button.run(async () => {
      this.#step = "enroll";
      const payment = await this.#attempt(() => this.#api.enroll(course, method));
      if (!this.#isAt(course, "enroll")) return;
      if (payment) this.#go(payment, method);
      else if (this.#card.action === "pay") this.#load();
      else this.#step = "choose";
    });
  }

  // --- what the backend says of paying -------------------------------------------------------

  async #load() {
    const { course } = this.#card;
    this.#show(
      "load",
      this.#byCard ? "Pay by card" : "Pay",
      h("p", { class: "loading", role: "status" }, "Looking up your payment…"),
      this.#trouble,
    );
    const payment = await this.#attempt(() => this.#api.payment(course));
    if (!this.#isAt(course, "load")) return;
    if (payment) {
      this.#take(payment);
      return;
    }
    const again = busyButton({ label: "Try again", busy: "Looking up…", iconName: "refresh-cw" });
    again.addEventListener("click", () => again.run(() => this.#load()));
    this.#dialog.body.replaceChildren(
      this.#trouble,
      h("div", { class: "actions" }, this.#quiet("Not now"), again),
    );
    again.focus();
  }

  /** The same again, behind what is shown; should it fail, the next change asks once more. */
  async #refresh() {
    const { course } = this.#card;
    const step = this.#step;
    try {
      const payment = await this.#api.payment(course);
      if (this.#isAt(course, step)) this.#take(payment);
    } catch {
      // The page tells by itself that it is offline.
    }
  }

  /** Show it first: the card that follows then finds its step done. */
  #take(payment) {
    this.#payment = payment;
    const { card_payment: tried, bank, methods } = payment;
    if (tried) this.#cardState(tried);
    else if (bank) this.#bank();
    else if (methods.length > 0) this.#choose();
    else this.close();
    this.#onCard(payment.card);
    // It may have gone on while the answer was on its way.
    if (this.#card?.version > payment.card.version) this.#refresh();
  }

  // --- by card -------------------------------------------------------------------------------

  /** After enrolling or starting: on to the provider's page, where there is one. */
  #go(payment, method) {
    const tried = payment.card_payment;
    if (method !== "card" || tried?.state !== "open") {
      this.#take(payment);
      return;
    }
    this.#payment = payment;
    this.#byCard = true;
    const { simulated } = this.house;
    this.#tell("leave", leaving(tried.url, { sum: this.#sum(), simulated }));
    this.#onCard(payment.card);
    leaveFor(payment.card.course, tried.url);
  }

  #cardState(tried) {
    this.#byCard = true;
    if (tried.state === "failed") this.#outcome = null;
    const { bank, card } = this.#payment;
    const shown = cardPayment(tried, {
      outcome: this.#outcome,
      go: (button) => this.#start(button),
      eft: bank ? () => this.#bank() : null,
      ask: card.can_ask ? (button) => this.#ask(button) : null,
      trouble: this.#trouble,
      away: this.#quiet("Back to the courses"),
      sum: this.#sum(),
    });
    this.#tell(tried.state, shown);
  }

  #confirmed(card = this.#card) {
    if (this.#step === "confirmed" && card.version === this.#card.version) return;
    this.#card = card;
    const onward = () => {
      this.close();
      this.#onContinue(card);
    };
    const away = this.#quiet("Back to the courses");
    this.#tell("confirmed", confirmed({ sum: this.#sum(), onward, away }));
  }

  #tell(step, { element, words }) {
    this.#show(step, "Pay by card", element);
    element.querySelector(".state").focus();
    this.#dialog.say(words);
  }

  /** The provider's page that is open, or another try; the enrollment stays the same. */
  #start(button) {
    const { course } = this.#card;
    const before = this.#step;
    button.run(async () => {
      this.#step = "start";
      const payment = await this.#attempt(() => this.#api.startCard(course));
      if (!this.#isAt(course, "start")) return;
      this.#step = before;
      if (payment) this.#go(payment, "card");
    });
  }

  #ask(button) {
    const { course } = this.#card;
    button.run(async () => {
      const card = await this.#attempt(() => this.#api.askManual(course));
      if (card && this.#card?.course === course) this.#onCard(card);
    });
  }

  // --- by EFT --------------------------------------------------------------------------------

  #bank() {
    const { bank, card, card_payment: tried, methods } = this.#payment;
    this.#byCard = false;
    const cardAgain = methods.includes("card") && tried?.retry !== false;
    const element = bankPayment(bank, {
      open: tried?.state === "open",
      submit: (button) => this.#submit(card.course, button),
      byCard: cardAgain ? (button) => this.#start(button) : null,
      announce: (text) => this.#dialog.say(text),
      trouble: this.#trouble,
      away: this.#quiet("Pay later"),
      sum: this.#sum(bank.amount_cents),
    });
    this.#show("bank", "Pay by EFT", element);
    element.focusFirst();
  }

  #submit(course, paid) {
    paid.run(async () => {
      const card = await this.#attempt(() => this.#api.submitEft(course));
      // A dialog that closed meanwhile may belong to another student: the live feed tells the rest.
      if (card && this.#card?.course === course) this.#onCard(card);
    });
  }

  // --- parts ---------------------------------------------------------------------------------

  #isAt(course, step) {
    return this.#card?.course === course && this.#step === step;
  }

  /** What `ask` answered, or null after the trouble was told in place. */
  async #attempt(ask) {
    const { course } = this.#card;
    const step = this.#step;
    this.#trouble.replaceChildren();
    try {
      return await ask();
    } catch (error) {
      if (this.#isAt(course, step)) this.#trouble.replaceChildren(notice(error.message));
      return null;
    }
  }

  #sum(cents = this.#card.price_cents) {
    const { title } = this.#card;
    return h("p", { class: "sum" }, h("span", {}, title), h("strong", {}, formatRand(cents)));
  }

  #quiet(label) {
    return h(
      "button",
      { class: "button quiet", type: "button", onclick: () => this.close() },
      label,
    );
  }
}
