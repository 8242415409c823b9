/** Paying by EFT: where to, and the button that says that it is done. */

import { bankDetails } from "./bank-details.js";
import { busyButton, h, notice } from "./dom.js";

/**
 * `submit(button)`: I have paid. `byCard(button)`: to the card provider instead; null where that is
 * not offered. `open`: a card payment is not confirmed yet.
 */
export function bankPayment(bank, { open, submit, byCard, announce, trouble, away, sum }) {
  const paid = busyButton({
    label: "I have paid",
    busy: "Telling the finance office…",
    iconName: "check",
  });
  paid.addEventListener("click", () => submit(paid));
  const details = bankDetails(bank, announce);
  const once = "A card payment is not confirmed yet. If you paid by card, wait: do not pay twice.";
  const element = h(
    "div",
    { class: "steps" },
    sum,
    open ? notice(once, { kind: "warn" }) : null,
    details,
    trouble,
    h("div", { class: "actions" }, away, byCard ? cardInstead(byCard) : null, paid),
  );
  element.focusFirst = details.focusFirst;
  return element;
}

function cardInstead(press) {
  const other = busyButton({
    label: "Pay by card",
    busy: "Opening the payment page…",
    look: "plain",
    iconName: "credit-card",
  });
  other.addEventListener("click", () => press(other));
  return other;
}
