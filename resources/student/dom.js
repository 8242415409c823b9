/** Small helpers to build elements. Text is always set as text, never as markup. */

const SVG = "http://www.w3.org/2000/svg";

/** An element: `h("p", { class: "lead", onclick: f }, "text", child)`. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** An icon of those in index.html; it is decoration beside a word, so screen readers pass it by. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** A notice in place: what went wrong, in plain words, and perhaps a way out. */
export function notice(text, { kind = "danger", sign = null, action = null } = {}) {
  const name = sign ?? (kind === "info" ? "info" : "circle-alert");
  const role = kind === "danger" ? "alert" : null;
  return h("div", { class: `notice ${kind}`, role }, icon(name), h("p", {}, text), action);
}

/**
 * A button that shows that it works: `run` is asynchronous, and further presses wait for its end.
 * It keeps the keyboard focus meanwhile, which a disabled button would lose.
 */
export function busyButton({ label, busy, look = "primary", iconName = null, type = "button" }) {
  const text = h("span", {}, label);
  const sign = h("span", { class: "sign" }, iconName ? icon(iconName) : "");
  const button = h("button", { class: `button ${look}`, type }, sign, text);
  button.say = (words) => {
    ({ label, busy } = words);
    text.textContent = button.working ? busy : label;
  };
  button.working = false;
  button.run = async (task) => {
    if (button.working) return;
    button.working = true;
    button.setAttribute("aria-disabled", "true");
    button.setAttribute("aria-busy", "true");
    text.textContent = busy;
    try {
      await task();
    } finally {
      button.working = false;
      button.removeAttribute("aria-disabled");
      button.removeAttribute("aria-busy");
      text.textContent = label;
    }
  };
  return button;
}
