/** A modal dialog with a title and a way out; the browser keeps the focus inside it. */

import { h, icon } from "./dom.js";

export const OFFLINE = "You are offline. This page catches up by itself.";

let made = 0;

/**
 * `open()`, `close()`, `title`, `body` (an element to fill), `say(text)`, `offline` and `onClose`.
 */
export function makeDialog() {
  const title = h("h2", { id: `dialog-${++made}` });
  const body = h("div", { class: "body" });
  // The page's own announcer is out of reach while a modal dialog is open.
  const announcer = h("p", { class: "unseen", role: "status" });
  const away = h(
    "button",
    {
      class: "button quiet round",
      type: "button",
      "aria-label": "Close",
      onclick: () => element.close(),
    },
    icon("x"),
  );
  // The page's own line is behind a modal dialog.
  const offline = h("p", { class: "offline-line", hidden: true }, icon("wifi-off"), OFFLINE);
  const element = h(
    "dialog",
    { "aria-labelledby": title.id },
    h("header", {}, title, away),
    offline,
    body,
    announcer,
  );
  const dialog = {
    element,
    body,
    onClose: () => {},
    open() {
      if (!element.open) element.showModal();
    },
    close() {
      if (element.open) element.close();
    },
    say(text) {
      announcer.textContent = text;
    },
    set offline(yes) {
      offline.hidden = !yes;
    },
    set title(text) {
      title.textContent = text;
    },
  };
  // The event comes a moment after the closing: by then the dialog may have been opened again.
  element.addEventListener("close", () => element.open || dialog.onClose());
  document.body.append(element);
  return dialog;
}
