/** The states of a payment by card, each with an icon, a word, and what can be done next. */

import { busyButton, h, icon } from "./dom.js";

const RING = "ring";

/** What the way back from the provider's page says; it proves nothing. */
const CAME_BACK = {
  success: {
    sign: RING,
    title: "We are confirming your payment…",
    text: "This takes a few seconds, and this page changes by itself.",
  },
  failure: {
    sign: RING,
    title: "We are asking what became of your payment…",
    text: "The payment page says that it did not go through.",
  },
  cancel: {
    sign: "info",
    title: "You left the payment page.",
    text: "As far as we know, nothing was paid. Your place is kept.",
  },
};
CAME_BACK.back = CAME_BACK.cancel;

/**
 * `{ element, words }`: what is shown, and the same for a screen reader.
 *
 * `tried`: CardPayment of the backend; `outcome`: how the student came back, or null. The buttons:
 * `go(button)` to the provider's page, `eft()` and `ask(button)` are null where that is not offered.
 */
export function cardPayment(tried, { outcome, go, eft, ask, trouble, away, sum }) {
  const state = { open: confirming, starting, failed }[tried.state];
  const { look, actions } = state(tried, outcome, { go, eft, ask });
  return { element: view(look, { sum, trouble, actions: [...actions, away] }), words: say(look) };
}

/** On the way to the provider's page; the link is for a browser that does not move by itself. */
export function leaving(url, { sum, simulated }) {
  const look = {
    sign: RING,
    title: "Taking you to the payment page…",
    text: simulated
      ? "It is a sandbox: no real money moves."
      : "You pay there, and come back here by yourself.",
  };
  const go = h("a", { class: "button plain", href: url }, "Go to the payment page");
  return { element: view(look, { sum, trouble: null, actions: [go] }), words: say(look) };
}

/** Paid: `onward()` opens the course. */
export function confirmed({ sum, onward, away }) {
  const look = {
    tone: "ok",
    sign: "circle-check",
    title: "Your payment is confirmed.",
    text: "The course is open for you.",
  };
  const open = h(
    "button",
    { class: "button primary", type: "button", onclick: onward },
    icon("book-open"),
    "Continue Course",
  );
  return { element: view(look, { sum, trouble: null, actions: [open, away] }), words: say(look) };
}

function confirming(tried, outcome, { go, eft }) {
  const open = { sign: RING, title: "We are confirming your payment…", text: tried.next_step };
  const look = CAME_BACK[outcome] ?? open;
  // Who has just paid, as it seems, is not led to pay again.
  if (outcome === "success") return { look, actions: [] };
  const onward = button("Go on to the payment page", "primary", {
    sign: "credit-card",
    busy: "Opening the payment page…",
    press: go,
  });
  return { look, actions: [onward, ...instead(eft)] };
}

function starting(tried, _outcome, { go, eft }) {
  const look = { sign: "clock", title: tried.message, text: tried.next_step };
  const again = button("Try again", "primary", {
    sign: "refresh-cw",
    busy: "Opening the payment page…",
    press: go,
  });
  return { look, actions: [again, ...instead(eft)] };
}

function failed(tried, _outcome, { go, eft, ask }) {
  const text = `Your place is kept. ${tried.next_step}`;
  const look = { tone: "attention", sign: "circle-alert", title: tried.message, text };
  const again = button("Try again by card", "primary", {
    sign: "refresh-cw",
    busy: "Opening the payment page…",
    press: go,
  });
  const person = button("Ask for approval by a person", "plain", {
    sign: "user-check",
    busy: "Asking the finance office…",
    press: ask,
  });
  return { look, actions: [tried.retry ? again : null, ...instead(eft), ask ? person : null] };
}

function instead(eft) {
  if (!eft) return [];
  const attributes = { class: "button plain", type: "button", onclick: eft };
  return [h("button", attributes, icon("landmark"), "Pay by EFT instead")];
}

function button(label, look, { sign, busy, press }) {
  const made = busyButton({ label, busy, look, iconName: sign });
  made.addEventListener("click", () => press(made));
  return made;
}

function view({ tone = "calm", sign, title, text }, { sum, trouble, actions }) {
  const mark = sign === RING ? h("span", { class: "ring", "aria-hidden": "true" }) : icon(sign);
  return h(
    "div",
    { class: "steps" },
    sum,
    h(
      "div",
      { class: `state ${tone}`, tabindex: "-1", autofocus: true },
      mark,
      h("div", {}, h("p", { class: "title" }, title), h("p", {}, text)),
    ),
    trouble,
    h("div", { class: "actions stack" }, ...actions.filter(Boolean)),
  );
}

function say({ title, text }) {
  return `${title} ${text}`;
}
