/**
 * Replaces what differs from run to run as `tests/wire_scenarios/plain.rs` does: times, rates, whether nothing is done, and ids
 * that were made up.
 */

/** Stands for every time. */
const TIME = 1_700_000_000_000;
const ID = /^[0-9a-f-]{36}$/;
/** What all ids begin with that a scenario chooses. */
const CHOSEN = "01890000";

/** Creates the translation between the ids of the mock and the recorded ones. */
export function createIds() {
  const recorded = new Map<string, string>();
  let made = 0;

  function toRecorded(id: string): string {
    const known = recorded.get(id);
    if (known !== undefined) return known;
    if (id.startsWith(CHOSEN)) return id;
    made += 1;
    const standIn = `00000000-0000-7000-8000-${String(made).padStart(12, "0")}`;
    recorded.set(id, standIn);
    return standIn;
  }

  /** Replaces what differs from run to run in an answer or a message of the mock. */
  function plain(value: unknown, name = ""): unknown {
    if (name === "rate" || name === "etaMs") return null;
    if (name === "fraction" && value === 0) return null;
    if (/^at$|At$/.test(name) && typeof value === "number") return TIME;
    if (typeof value === "string") return ID.test(value) ? toRecorded(value) : value;
    return mapParts(value, plain);
  }

  /** Returns what the mock gets for recorded arguments. */
  function toMock(value: unknown): unknown {
    if (typeof value !== "string") return mapParts(value, toMock);
    return [...recorded].find(([, one]) => one === value)?.[0] ?? value;
  }

  return {
    plain,
    toMock,
    /** Returns the mock's id of a task. */
    of: (id: string): string => String(toMock(id)),
    /** Records that the mock has made up an id for a task whose id the scenario chooses. */
    made(id: string, chosen: string): void {
      recorded.set(id, chosen);
    },
  };
}

function mapParts(value: unknown, map: (part: unknown, name?: string) => unknown): unknown {
  if (Array.isArray(value)) return value.map((part) => map(part));
  if (typeof value !== "object" || value === null) return value;
  const parts = Object.entries(value).map(([name, part]) => [name, map(part, name)] as const);
  // Not by assignment, which would set the prototype for `__proto__`.
  return Object.fromEntries(parts);
}
