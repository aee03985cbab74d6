// The types that `crates/specta/tests/names.rs` writes: each task has its own, whatever they are called.

import { createTasks } from "tauri-plugin-tasks-api";
import type { Tasks } from "../crates/specta/tests/names.gen";
import type { Equal, Expect } from "./equal";

type Input<K extends keyof Tasks> = Tasks[K]["input"];
type Output<K extends keyof Tasks> = Tasks[K]["output"];
type Page<T> = { items: T[]; next: Page<T> | null };

export type Proof = [
  Expect<Equal<Output<"a-stage">, { done: number | null }>>,
  Expect<Equal<Output<"b-stage">, { left: string | null }>>,
  Expect<Equal<Input<"b-stage">, { left?: string | null }>>,
  Expect<Equal<Output<"a-tagged">, { type: "Tagged"; of_a: number | null }>>,
  Expect<Equal<Output<"b-tagged">, { type: "Tagged"; of_b: boolean }>>,
  Expect<Equal<Output<"stage-serialize">, { own: boolean }>>,
  Expect<Equal<Input<"step">, { step?: number | null }>>,
  Expect<Equal<Output<"not-a-step">, { not_a_step: boolean | null }>>,
  Expect<Equal<Output<"language">["by_key"], { One?: [number, number]; Two?: [number, number] }>>,
  Expect<Equal<Output<"language">["never"], [boolean, number]>>,
  Expect<Equal<Output<"language">["undefined"], [number, number, boolean]>>,
  Expect<Equal<Output<"failure">, { code: number }>>,
  Expect<Equal<Tasks["failure"]["error"], { message: string; causes: string[] }>>,
  Expect<Equal<Output<"our-never">, { never: boolean }>>,
  Expect<Equal<Tasks["our-never"]["item"], never>>,
  Expect<Equal<Output<"phase">, "First" | "Last">>,
  Expect<Equal<Output<"tag-of-mine">, { type: "tag-of-mine"; mine: boolean }>>,
  Expect<Equal<Input<"both">, { both?: number | null }>>,
  Expect<Equal<Output<"page">["items"], { is_t: boolean }[]>>,
  Expect<Output<"page"> extends Page<{ is_t: boolean }> ? true : false>,
  Expect<
    NonNullable<Output<"pages">[number]["items"][number]>["items"][number]["of_t"] extends Page<{
      is_t: boolean;
    }>
      ? true
      : false
  >,
];

export const tasks = createTasks<Tasks>();
