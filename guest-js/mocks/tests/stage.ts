/** Where scenarios are replayed: a page that talks to a mock, whose tasks do what the scenario says. */
import type { createIds } from "./plain.js";
import type { Act } from "./replay.js";

export type Arguments = Record<string, unknown>;

export const FRAME_MS = 17;
export const A_DAY_MS = 86_400_000;
/** The kinds of `tests/wire_scenarios/steered.rs`. */
export const KINDS = [
  "bytes",
  "line",
  "picky",
  "retried",
  "shown",
  "stuck",
  "tidy",
  "work",
] as const;
/** The kinds whose snapshots have the input. */
export const SHOWN = ["shown"] as const;
/** The kind of which one task runs at once. The others have no limit. */
export const LIMITED = "line";
/** The kind that is retried once, after a second. */
export const RETRIED = "retried";

export interface Stage {
  /** Makes a call of the page. */
  call(command: string, args: Arguments): Promise<unknown>;
  /** Rejects if a call has not been answered after some frames. */
  waits(): Promise<never>;
  /** Makes a call of another window. Returns its answer or error as a step has it. */
  otherCalls(command: string, args: Arguments): Promise<unknown>;
  /** Lets a task do something. */
  act(act: Act): Promise<void>;
  /** Returns the next message of the newest session, or `undefined` if there is none. */
  message(): Promise<unknown>;
  passes(ms: number): Promise<void>;
  open(session: string): Promise<void>;
  reload(): Promise<void>;
  close(): void;
}

/** Opens a page with a session `s`. A modest one sees no tasks of other windows. */
export type OpenStage = (ids: ReturnType<typeof createIds>, isModest: boolean) => Promise<Stage>;
