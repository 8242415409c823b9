/**
 * Leaving for the card provider's page, in this very tab, and coming back from it.
 *
 * The provider sends people to /?card=success, failure or cancel, with the enrollment; the browser's
 * back button brings them without a word. Neither proves anything: what is true, the backend tells.
 */

const NOTE = "bursar-paying";
const OUTCOMES = ["success", "failure", "cancel"];

/** To the provider's page at `url`, for the card of `course`. */
export function leaveFor(course, url) {
  try {
    sessionStorage.setItem(NOTE, course);
  } catch {
    // Storage may be forbidden: then only the provider's own way back is recognised.
  }
  location.assign(url);
}

/**
 * How this page was come back to, once: `{ outcome, course, enrollment }`, or null.
 *
 * `outcome` is what the way back says, or "back"; the two others are null where nobody knows.
 */
export function takeReturn() {
  const course = takeNote();
  const query = new URLSearchParams(location.search);
  const outcome = query.get("card");
  if (!OUTCOMES.includes(outcome)) {
    return course === null ? null : { outcome: "back", course, enrollment: null };
  }
  // A reload, or a bookmark of this page, is not another return.
  history.replaceState(null, "", location.pathname + location.hash);
  return { outcome, course, enrollment: query.get("enrollment") };
}

/** Nobody is expected back any more. */
export function forgetReturn() {
  takeNote();
}

/** The card that a return is about, or null. */
export function cardOf({ course, enrollment }, cards) {
  const named = cards.find((card) => enrollment !== null && card.enrollment === enrollment);
  const noted = cards.find((card) => card.course === course);
  const open = cards.find((card) => card.payment === "processing");
  return named ?? noted ?? open ?? null;
}

function takeNote() {
  try {
    const course = sessionStorage.getItem(NOTE);
    sessionStorage.removeItem(NOTE);
    return course;
  } catch {
    return null;
  }
}
