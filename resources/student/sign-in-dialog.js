/** The dialog to create an account or to sign in. What was typed stays until it succeeded. */

import { busyButton, h, notice } from "./dom.js";
import { makeDialog } from "./dialog.js";

const MODES = {
  "sign-up": {
    title: "Create your account",
    submit: "Create account",
    busy: "Creating your account…",
    question: "Already registered?",
    other: "Sign in",
    autocomplete: "new-password",
  },
  "sign-in": {
    title: "Sign in",
    submit: "Sign in",
    busy: "Signing in…",
    question: "New here?",
    other: "Create an account",
    autocomplete: "current-password",
  },
};

const COMPLAINTS = {
  name: "Please write your name.",
  email: "Please write your email address, like name@example.com.",
  password: "A password has at least 8 characters.",
};

export class SignInDialog {
  #api;
  #onSignedIn;
  #mode = "sign-up";
  #dialog = makeDialog();
  #trouble = h("div");
  #name = field("name", "Name", { autocomplete: "name", maxlength: 200, required: true });
  #email = field("email", "Email", {
    type: "email",
    autocomplete: "email",
    maxlength: 254,
    required: true,
  });
  #password = field("password", "Password", {
    type: "password",
    autocomplete: "new-password",
    minlength: 8,
    maxlength: 200,
    required: true,
  });
  #submit = busyButton({ label: "", busy: "", type: "submit" });
  #question = h("span");
  #other = h("button", { class: "link", type: "button", onclick: () => this.#turn() });

  /** `onSignedIn()` may be asynchronous; the button stays busy until it is done. */
  constructor({ api, onSignedIn }) {
    this.#api = api;
    this.#onSignedIn = onSignedIn;
    const form = h(
      "form",
      { novalidate: true, onsubmit: (event) => this.#send(event) },
      this.#trouble,
      this.#name.row,
      this.#email.row,
      this.#password.row,
      h("div", { class: "actions" }, this.#submit),
      h("p", { class: "aside" }, this.#question, " ", this.#other),
    );
    this.#dialog.body.append(form);
  }

  /** `reason`: why the student is asked, if it needs saying. */
  open(mode, { reason = null } = {}) {
    this.#show(mode);
    this.#trouble.replaceChildren(...(reason ? [notice(reason, { kind: "info" })] : []));
    this.#dialog.open();
    this.#first().focus();
  }

  /** Somebody is signed in, from here or from another tab: what was typed has done its work. */
  done() {
    for (const { input, complain } of [this.#name, this.#email, this.#password]) {
      input.value = "";
      complain("");
    }
    this.#dialog.close();
  }

  #show(mode) {
    const words = MODES[mode];
    this.#mode = mode;
    this.#dialog.title = words.title;
    this.#name.row.hidden = mode === "sign-in";
    this.#password.input.autocomplete = words.autocomplete;
    this.#submit.say({ label: words.submit, busy: words.busy });
    this.#question.textContent = words.question;
    this.#other.textContent = words.other;
  }

  #turn() {
    this.#show(this.#mode === "sign-up" ? "sign-in" : "sign-up");
    this.#trouble.replaceChildren();
    for (const { complain } of this.#fields()) complain("");
    this.#first().focus();
  }

  #fields() {
    const both = [this.#email, this.#password];
    return this.#mode === "sign-up" ? [this.#name, ...both] : both;
  }

  #first() {
    const fields = this.#fields();
    return (fields.find(({ input }) => !input.value) ?? fields[0]).input;
  }

  #send(event) {
    event.preventDefault();
    const wrong = this.#fields().filter((one) => !one.check());
    if (wrong.length > 0) {
      wrong[0].input.focus();
      return;
    }
    this.#submit.run(() => this.#try());
  }

  async #try() {
    const values = Object.fromEntries(
      this.#fields().map(({ input }) => [input.name, valueOf(input)]),
    );
    this.#trouble.replaceChildren();
    try {
      await (this.#mode === "sign-up" ? this.#api.signUp(values) : this.#api.signIn(values));
    } catch (error) {
      this.#trouble.replaceChildren(notice(error.message));
      return;
    }
    await this.#onSignedIn();
    this.done();
  }
}

function valueOf(input) {
  return input.type === "password" ? input.value : input.value.trim();
}

function field(name, label, attributes) {
  const id = `field-${name}`;
  const complaint = h("p", { class: "complaint", id: `${id}-complaint`, hidden: true });
  const input = h("input", { id, name, "aria-describedby": complaint.id, ...attributes });
  const complain = (text) => {
    complaint.textContent = text;
    complaint.hidden = !text;
    input.toggleAttribute("aria-invalid", Boolean(text));
    if (text) input.setAttribute("aria-invalid", "true");
  };
  const check = () => {
    const fine = input.checkValidity() && valueOf(input) !== "";
    complain(fine ? "" : COMPLAINTS[name]);
    return fine;
  };
  input.addEventListener("input", () => complaint.hidden || check());
  const row = h("div", { class: "field" }, h("label", { for: id }, label), input, complaint);
  return { row, input, complain, check };
}
