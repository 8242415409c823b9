/** How would you like to pay? One of the methods that this house offers. */

import { busyButton, h, icon } from "./dom.js";

const METHODS = {
  card: {
    icon: "credit-card",
    name: "Card",
    hint: "Pay on the provider's secure page. The course opens at once.",
    submit: { label: "Enroll and pay by card", busy: "Opening the payment page…" },
  },
  eft: {
    icon: "landmark",
    name: "EFT (bank transfer)",
    hint: "Pay from your bank. We check it and open the course.",
    submit: { label: "Enroll and see bank details", busy: "Reserving your place…" },
  },
};

/**
 * The form. `choose(method, button)` is called with the busy button that was pressed; `trouble` is
 * where to tell what went wrong, `away` the button that leaves.
 */
export function methodChoice({ methods, simulated, choose, trouble, away, sum }) {
  const submit = busyButton({ ...METHODS[methods[0]].submit, type: "submit" });
  const form = h(
    "form",
    {},
    sum,
    h(
      "fieldset",
      {},
      h("legend", {}, "How would you like to pay?"),
      ...methods.map((method, index) => choice(method, index === 0, simulated)),
    ),
    trouble,
    h("div", { class: "actions" }, away, submit),
  );
  const chosen = () => new FormData(form).get("method");
  form.addEventListener("change", () => submit.say(METHODS[chosen()].submit));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    choose(chosen(), submit);
  });
  return form;
}

function choice(method, first, simulated) {
  const { icon: sign, name, hint } = METHODS[method];
  const play = simulated && method === "card" ? " Sandbox: no real money moves." : "";
  return h(
    "label",
    { class: "choice" },
    h("input", { type: "radio", name: "method", value: method, checked: first, autofocus: first }),
    icon(sign),
    h("span", {}, name, h("small", {}, hint + play)),
  );
}
