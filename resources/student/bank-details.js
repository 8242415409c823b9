/** Where to pay, each line easy to copy, the reference large, and a QR code of it. */

import { h, icon } from "./dom.js";
import { formatRand, plainRand } from "./money.js";

/** `bank`: BankDetails of the backend. `announce(text)` tells a screen reader what was copied. */
export function bankDetails(bank, announce) {
  const copyReference = copyButton("reference", bank.reference, announce);
  const element = h(
    "div",
    { class: "bank" },
    h(
      "div",
      { class: "reference" },
      h(
        "div",
        { class: "words" },
        h("p", { class: "caption" }, "Your reference"),
        h("p", { class: "code", translate: "no" }, bank.reference),
        h("p", { class: "hint" }, "Use exactly this reference, so that your payment finds you."),
        copyReference,
      ),
      h("img", {
        class: "qr",
        src: imageSource(bank.qr_svg),
        alt: `QR code of the reference ${bank.reference}`,
      }),
    ),
    h(
      "dl",
      {},
      ...line("Bank", bank.bank),
      ...line("Account name", bank.account_name),
      ...line(
        "Account number",
        bank.account_number,
        copyButton("account number", bank.account_number, announce),
      ),
      ...line(
        "Branch code",
        bank.branch_code,
        copyButton("branch code", bank.branch_code, announce),
      ),
      ...line(
        "Amount",
        formatRand(bank.amount_cents),
        copyButton("amount", plainRand(bank.amount_cents), announce),
      ),
    ),
  );
  element.focusFirst = () => copyReference.focus();
  return element;
}

/**
 * An SVG as the source of an image, where no script in it could run. What is meant for the inside
 * of a page names no namespace; the serializer adds it.
 */
function imageSource(svg) {
  const parsed = new DOMParser().parseFromString(svg, "text/html").querySelector("svg");
  return `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(parsed))}`;
}

function line(term, text, copy = null) {
  return [h("dt", {}, term), h("dd", {}, h("span", {}, text), copy)];
}

function copyButton(what, text, announce) {
  const word = h("span", {}, "Copy");
  const sign = h("span", { class: "sign" }, icon("copy"));
  const button = h(
    "button",
    {
      class: "button small",
      type: "button",
      "aria-label": `Copy the ${what}`,
      onclick: () => copy(),
    },
    sign,
    word,
  );
  const copy = async () => {
    const done = await copyText(text, button);
    word.textContent = done ? "Copied" : "Press Ctrl+C";
    sign.replaceChildren(icon(done ? "check" : "copy"));
    announce(
      done ? `The ${what} was copied.` : `The ${what} is selected. Press Control C to copy it.`,
    );
  };
  button.addEventListener("blur", () => {
    word.textContent = "Copy";
    sign.replaceChildren(icon("copy"));
  });
  return button;
}

async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Not allowed here: selected text can still be copied by hand.
    const shown = button.parentElement.querySelector(".code, span");
    getSelection().selectAllChildren(shown);
    return false;
  }
}
