/** Rand amounts from whole cents, written as the console writes them. */

const THOUSANDS = /\B(?=(\d{3})+$)/g;

function parts(cents) {
  const rest = cents % 100;
  return [String((cents - rest) / 100), String(rest).padStart(2, "0")];
}

/** `125000` -> `R 1 250.00`, with spaces that do not break. */
export function formatRand(cents) {
  const [whole, rest] = parts(cents);
  return `R\u00a0${whole.replace(THOUSANDS, "\u00a0")}.${rest}`;
}

/** `125000` -> `1250.00`, as a bank's form takes it. */
export function plainRand(cents) {
  return parts(cents).join(".");
}
