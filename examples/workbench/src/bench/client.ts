import { createTasks } from "tauri-plugin-tasks-api";

interface Kind<Input, Item = never, Output = null> {
  input: Input;
  detail: null;
  item: Item;
  output: Output;
  error: { message: string };
}

/** How many pulses per second, and how many in all. */
export type Pulses = { rate: number; count: number };
/** `sent` is in microseconds since 1970. */
export type Pulse = { number: number; sent: number };
export type Flood = { reports: number; forMs: number; words: boolean };
export type Flooded = { reports: number; nanoseconds: number };

/** The kinds in `src-tauri/src/bench`. */
type Tasks = {
  "bench-lines": Kind<number, string>;
  "bench-bytes": Kind<number, Uint8Array>;
  "bench-flood": Kind<Flood, never, Flooded>;
  "bench-crowd": Kind<null>;
  "bench-empty": Kind<null>;
  "bench-latency": Kind<Pulses, Pulse>;
};

export const tasks = createTasks<Tasks>();
