/** With the flag `u`, this matches only a surrogate that is not part of a pair. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Returns whether a string can be sent: Rust refuses one with half of a surrogate pair. */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}
