/** The student page: builds its parts and wires them together. */

import { Api, Unreachable } from "./api.js";
import "./course-card.js";
import { busyButton, h, icon, notice } from "./dom.js";
import { LessonsView } from "./lessons.js";
import { LiveFeed } from "./live.js";
import { PaymentDialog } from "./payment-dialog.js";
import { SignInDialog } from "./sign-in-dialog.js";
import { Store } from "./store.js";
import { Tabs } from "./tabs.js";

const OFFLINE = "You are offline. This page catches up by itself.";

const at = (id) => document.getElementById(id);
const store = new Store();
const tabs = new Tabs(hearTab);
const api = new Api({ onSignInNeeded: sessionEnded });
const lessons = new LessonsView({ api, place: at("lessons") });
const payment = new PaymentDialog({ api, onCard: learnCard });
const signIn = new SignInDialog({ api, onSignedIn: signedIn });
const live = new LiveFeed({
  url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live/student`,
  load,
  onCards: (list) => {
    reached(true);
    store.replace(list);
  },
  onCard: learnCard,
});

let asked = 0;

// --- what comes in ---------------------------------------------------------------------------

/** All cards over HTTP: gives the student, null for a visitor, undefined when it failed. */
async function load() {
  const mine = ++asked;
  try {
    const list = await api.cards();
    if (mine !== asked) return undefined; // a later question, perhaps of another session
    reached(true);
    store.merge(list);
    return store.student;
  } catch (error) {
    if (mine === asked) fail(error);
    return undefined;
  }
}

function learnCard(card) {
  if (store.apply(card)) tabs.tellCard(store.student?.id, card);
}

function hearTab(message) {
  if (message.kind === "session") live.restart();
  else if (message.student === store.student?.id) store.apply(message.card);
}

async function signedIn() {
  tabs.tellSession();
  live.restart();
  if (store.student) return;
  await new Promise((known) => store.addEventListener("student", known, { once: true }));
}

async function signOut() {
  try {
    await api.signOut();
  } catch (error) {
    if (error.status !== 401) {
      // 401: signed out already
      trouble(error.message);
      return;
    }
  }
  sessionOver();
}

function sessionOver() {
  store.clear();
  tabs.tellSession();
  live.restart();
}

function sessionEnded() {
  if (!store.student) return;
  sessionOver();
  signIn.open("sign-in", { reason: "Your sign-in has ended. Please sign in again." });
}

// --- what is shown ---------------------------------------------------------------------------

function reached(yes) {
  const banner = at("offline");
  banner.hidden = yes;
  banner.replaceChildren(...(yes ? [] : [icon("wifi-off"), OFFLINE]));
  if (yes) trouble(null);
}

function fail(error) {
  if (error instanceof Unreachable) reached(false);
  else trouble(error.message);
}

function trouble(text) {
  const place = at("trouble");
  place.hidden = !text;
  const again = h(
    "button",
    { class: "button small", type: "button", onclick: () => live.restart() },
    "Try again",
  );
  place.replaceChildren(...(text ? [notice(text, { action: again })] : []));
}

function announce(text) {
  at("announcer").textContent = text;
}

function showAccount() {
  const out = busyButton({
    label: "Sign out",
    busy: "Signing out…",
    look: "quiet",
    iconName: "log-out",
  });
  out.addEventListener("click", () => out.run(signOut));
  const enter = h(
    "button",
    { class: "button quiet", type: "button", onclick: () => signIn.open("sign-in") },
    icon("log-in"),
    "Sign in",
  );
  const who = store.student
    ? [h("span", { class: "who" }, icon("user"), h("span", {}, store.student.name)), out]
    : [enter];
  at("account").replaceChildren(...who);
}

function showCards({ detail: { changed } }) {
  const place = at("cards");
  const old = new Map([...place.children].map((element) => [element.dataset.course, element]));
  const shown = store.cards.map((card) => {
    const element = old.get(card.course) ?? document.createElement("course-card");
    element.card = card;
    return element;
  });
  if (
    shown.length !== old.size ||
    shown.some((element, index) => element !== place.children[index])
  ) {
    place.replaceChildren(...shown);
  }
  place.setAttribute("aria-busy", String(!store.loaded));
  at("nothing").hidden = !store.loaded || shown.length > 0;
  for (const { card } of changed) old.get(card.course)?.flash();
  if (changed.length > 0) {
    announce(changed.map(({ card }) => `${card.title}: ${card.label}. ${card.message}`).join(" "));
  }
}

function followChange({ detail: { changed } }) {
  payment.follow((course) => store.card(course));
  if (changed.some(({ card }) => card.course === lessons.course)) lessons.load();
}

function changeStudent() {
  showAccount();
  payment.close();
  if (!store.student) {
    if (lessons.course) location.hash = "#/";
    return;
  }
  announce(`Signed in as ${store.student.name}.`);
  signIn.done();
  if (lessons.course) lessons.load();
}

function showRoute() {
  const [, course] = /^#\/course\/([0-9a-f-]{36})$/i.exec(location.hash) ?? [];
  at("home").hidden = Boolean(course);
  if (course) lessons.open(course);
  else if (lessons.course) {
    lessons.close();
    at("home-title").focus();
  }
}

function act({ detail: { card } }) {
  if (card.action === "sign_up") {
    signIn.open("sign-up");
  } else if (card.action === "continue") {
    location.hash = `#/course/${card.course}`;
  } else if (card.enabled) {
    payment.open(card);
  }
}

// A dialog that closes comes first: nothing is announced behind an open one.
store.addEventListener("cards", followChange);
store.addEventListener("cards", showCards);
store.addEventListener("student", changeStudent);
at("cards").addEventListener("course-action", act);
at("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the part after # names the view here
  at("main").focus();
});
window.addEventListener("hashchange", showRoute);
window.addEventListener("online", () => live.restart());
window.addEventListener("offline", () => live.restart());
window.addEventListener("pageshow", ({ persisted }) => persisted && live.restart());
document.addEventListener("visibilitychange", () => document.hidden || live.hurry());

showAccount();
showRoute();
live.restart();
