/** The student page: builds its parts and wires them together. */

import { Api, Unreachable } from "./api.js";
import { CardWatch } from "./card-watch.js";
import "./course-card.js";
import { busyButton, h, icon } from "./dom.js";
import { LessonsView } from "./lessons.js";
import { LiveFeed } from "./live.js";
import { PageLines } from "./page-lines.js";
import { PaymentDialog } from "./payment-dialog.js";
import { cardOf, forgetReturn, takeReturn } from "./returning.js";
import { SignInDialog } from "./sign-in-dialog.js";
import { Store } from "./store.js";
import { Tabs } from "./tabs.js";

const at = (id) => document.getElementById(id);
const store = new Store();
const lines = new PageLines({ at, retry: () => live.restart() });
const tabs = new Tabs(hearTab);
const api = new Api({ onSignInNeeded: sessionEnded });
const lessons = new LessonsView({ api, place: at("lessons") });
const payment = new PaymentDialog({ api, onCard: learnCard, onContinue: openLessons });
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
const watch = new CardWatch({ check: checkCard });

let asked = 0;
let back = null; // how this page was come back to, until it is seen to

// --- what comes in ---------------------------------------------------------------------------

/** All cards over HTTP: gives the student, null for a visitor, undefined when it failed. */
async function load() {
  const mine = ++asked;
  try {
    const [list, house] = await Promise.all([api.cards(), api.house()]);
    if (mine !== asked) return undefined; // a later question, perhaps of another session
    reached(true);
    payment.house = house;
    lines.house(house);
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

/** The provider is asked what became of a card payment. What fails comes again, or by the feed. */
async function checkCard(course) {
  const { student } = store;
  try {
    const card = await api.checkCard(course);
    if (store.student?.id === student?.id) learnCard(card);
  } catch {
    // The live feed tells whether the backend can be reached.
  }
}

/** Back from the card provider's page, by its links or by the browser's back button. */
function comeBack() {
  back = takeReturn() ?? back;
  seeToReturn();
}

function seeToReturn() {
  if (!back || !store.loaded) return;
  const { outcome } = back;
  if (store.student) {
    const card = cardOf(back, store.cards);
    back = null;
    if (!card) return;
    if (lessons.course) location.hash = "#/";
    payment.comeBack(card, outcome);
    watch.hurry();
  } else if (outcome === "back") {
    back = null;
  } else if (!back.asked) {
    back.asked = true;
    signIn.open("sign-in", { reason: "Please sign in to see what became of your payment." });
  }
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
      lines.trouble(error.message);
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
  payment.reached = yes;
  lines.reached(yes);
}

function fail(error) {
  if (error instanceof Unreachable) reached(false);
  else lines.trouble(error.message);
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
    lines.announce(changed.map(({ card }) => `${card.title}: ${card.label}. ${card.message}`).join(" "));
  }
}

function followChange({ detail: { changed } }) {
  watch.follow(store.cards);
  payment.follow((course) => store.card(course));
  if (changed.some(({ card }) => card.course === lessons.course)) lessons.load();
}

function changeStudent() {
  showAccount();
  payment.close();
  if (!store.student) {
    forgetReturn();
    if (lessons.course) location.hash = "#/";
    return;
  }
  lines.announce(`Signed in as ${store.student.name}.`);
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
    openLessons(card);
  } else if (card.enabled) {
    payment.open(card);
  }
}

function openLessons(card) {
  location.hash = `#/course/${card.course}`;
}

/** Whether somebody looks at the page now. */
function look() {
  if (document.hidden) {
    watch.rest();
    return;
  }
  live.hurry();
  watch.hurry();
}

/** The browser kept the page while the student was elsewhere, and gives it back as it was. */
function revive({ persisted }) {
  if (!persisted) return;
  live.restart();
  comeBack();
}

// A dialog that closes comes first: nothing is announced behind an open one.
store.addEventListener("cards", followChange);
store.addEventListener("cards", showCards);
store.addEventListener("cards", seeToReturn);
store.addEventListener("student", changeStudent);
at("cards").addEventListener("course-action", act);
at("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the part after # names the view here
  at("main").focus();
});
window.addEventListener("hashchange", showRoute);
window.addEventListener("online", () => live.restart());
window.addEventListener("offline", () => live.restart());
window.addEventListener("pagehide", () => live.stop());
window.addEventListener("pageshow", revive);
document.addEventListener("visibilitychange", look);

showAccount();
showRoute();
comeBack();
live.restart();
