/**
 * What the page asks the backend.
 *
 * Errors: `Problem` (the backend answered and refused; `detail` is for people) and `Unreachable`
 * (nobody answered; nothing is known about what was asked). Both have a `message` to show.
 */

const TIMEOUT_MS = 20_000;

export class Problem extends Error {
  constructor({ type = "about:blank", title = "", status, detail }) {
    super(detail || title || "Something went wrong. Please try again.");
    this.type = type;
    this.status = status;
  }

  /** Whether the same request may well succeed later: then it is the same intent. */
  get passing() {
    return this.status >= 500 || [401, 408, 425, 429].includes(this.status);
  }
}

export class Unreachable extends Error {
  constructor(cause) {
    super("We could not reach the school. Nothing was lost: please try again.", { cause });
  }
}

export class Api {
  #intents = new Map();
  #onSignInNeeded;

  /** `onSignInNeeded()` is called whenever the backend says that the session is over. */
  constructor({ onSignInNeeded }) {
    this.#onSignInNeeded = onSignInNeeded;
  }

  cards() {
    return this.#ask("GET", "/api/student/cards");
  }

  /** What can be paid with here, and whether it is play. */
  house() {
    return this.#ask("GET", "/api/student/house");
  }

  payment(course) {
    return this.#ask("GET", `/api/student/payment/${encodeURIComponent(course)}`);
  }

  lessons(course) {
    return this.#ask("GET", `/api/student/lessons/${encodeURIComponent(course)}`);
  }

  enroll(course, method) {
    return this.#write("/api/student/enroll", { course, method });
  }

  submitEft(course) {
    return this.#write("/api/student/eft", { course });
  }

  /** A page of the card provider: the one that is open, or a new one after a failure. */
  startCard(course) {
    return this.#write("/api/student/card", { course });
  }

  /** What became of the card payment; asking changes nothing that is not true already. */
  checkCard(course) {
    return this.#ask("POST", "/api/student/card/check", { body: { course } });
  }

  /** After several failed cards: a person is to look. */
  askManual(course) {
    return this.#write("/api/student/manual", { course });
  }

  async signUp({ name, email, password }) {
    return this.#changeSession("/api/student/sign-up", { name, email, password });
  }

  async signIn({ email, password }) {
    return this.#changeSession("/api/student/sign-in", { email, password });
  }

  async signOut() {
    return this.#changeSession("/api/student/sign-out", undefined);
  }

  async #changeSession(path, body) {
    const answer = await this.#write(path, body);
    this.#intents.clear(); // what another student meant is not to be repeated
    return answer;
  }

  /** The same intent, asked again after no answer, carries the same key: it happens once. */
  async #write(path, body) {
    const intent = `${path} ${JSON.stringify(body)}`;
    const key = this.#intents.get(intent) ?? crypto.randomUUID();
    this.#intents.set(intent, key);
    try {
      const answer = await this.#ask("POST", path, { body, key });
      this.#intents.delete(intent);
      return answer;
    } catch (error) {
      if (error instanceof Problem && !error.passing) this.#intents.delete(intent);
      throw error;
    }
  }

  async #ask(method, path, { body, key } = {}) {
    const headers = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (key !== undefined) headers["Idempotency-Key"] = key;
    let response;
    let text;
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const sent = body === undefined ? undefined : JSON.stringify(body);
      response = await fetch(path, { method, headers, body: sent, signal, cache: "no-store" });
      text = await response.text();
      // Something in between may answer for the backend: then it is not JSON.
      if (response.ok) return text ? JSON.parse(text) : null;
    } catch (error) {
      throw new Unreachable(error);
    }
    const problem = readProblem(response.status, text);
    if (problem.status === 401 && !path.includes("/sign-")) this.#onSignInNeeded();
    throw problem;
  }
}

function readProblem(status, text) {
  try {
    return new Problem({ ...JSON.parse(text), status });
  } catch {
    // Not ours: a proxy in between, for instance.
    return new Problem({ status });
  }
}
