/** The lessons of one course, or the backend's plain word why they are not shown. */

import { Unreachable } from "./api.js";
import { busyButton, h, icon, notice } from "./dom.js";

export class LessonsView {
  #api;
  #place;
  #course = null;
  #asked = 0;

  constructor({ api, place }) {
    this.#api = api;
    this.#place = place;
  }

  /** The course that is open, or null. */
  get course() {
    return this.#course;
  }

  open(course) {
    this.#course = course;
    this.#place.hidden = false;
    this.#show(h("p", { class: "loading", role: "status" }, "Opening the course…"));
    return this.load();
  }

  close() {
    this.#course = null;
    this.#asked += 1;
    this.#place.hidden = true;
    this.#place.replaceChildren();
    document.title = "Courses · Bursar";
  }

  /** Ask again: access may have come or gone. */
  async load() {
    const mine = ++this.#asked;
    try {
      const page = await this.#api.lessons(this.#course);
      if (mine === this.#asked) this.#fill(page);
    } catch (error) {
      if (mine === this.#asked) this.#refuse(error);
    }
  }

  #fill({ title, lessons }) {
    document.title = `${title} · Bursar`;
    const heading = h("h1", { tabindex: "-1" }, title);
    this.#show(
      heading,
      h("p", { class: "lead" }, lessons.length === 1 ? "1 lesson" : `${lessons.length} lessons`),
      ...lessons.map((lesson, index) =>
        h(
          "article",
          { class: "lesson" },
          h("p", { class: "caption" }, `Lesson ${index + 1}`),
          h("h2", {}, lesson.title),
          ...lesson.body.split(/\n{2,}/).map((paragraph) => h("p", {}, paragraph)),
        ),
      ),
    );
    heading.focus();
  }

  #refuse(error) {
    const again = busyButton({
      label: "Try again",
      busy: "Opening…",
      look: "small",
      iconName: "refresh-cw",
    });
    again.addEventListener("click", () => again.run(() => this.load()));
    const refused = !(error instanceof Unreachable) && error.status < 500;
    const look = refused ? { kind: "info", sign: "lock" } : { kind: "danger" };
    this.#show(
      h("h1", { tabindex: "-1" }, refused ? "This course is not open" : "The course did not open"),
      notice(error.message, { ...look, action: again }),
    );
    this.#place.querySelector("h1").focus();
  }

  #show(...content) {
    const back = h("a", { class: "back", href: "#/" }, icon("chevron-left"), "All courses");
    this.#place.replaceChildren(back, ...content);
  }
}
