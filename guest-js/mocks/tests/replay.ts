/** Replays a recorded scenario: makes the same calls, lets the tasks do the same, and compares what the page gets. */
import { type Difference, differences } from "./differences.js";
import { createIds } from "./plain.js";
import type { Arguments, OpenStage, Stage } from "./stage.js";

/** What a task does. */
export interface Act {
  readonly task: string;
  readonly does: string;
  readonly with?: unknown;
}

interface CallStep {
  readonly call: string;
  readonly arguments: Arguments;
  readonly page?: "other";
  /** What a task does while the call waits for its answer. */
  readonly meanwhile?: Act;
  readonly answer?: unknown;
  readonly bytes?: number[];
  readonly error?: { readonly kind: string; readonly message: string; readonly data: unknown };
}

export type Step =
  | CallStep
  | Act
  | { readonly message: unknown }
  | { readonly passes: number }
  | { readonly opens: string }
  | { readonly reload: true };

/** Returns how the mock on this stage differs from the plugin in this scenario. */
export async function replay(
  steps: readonly Step[],
  openStage: OpenStage,
  isModest: boolean,
): Promise<Difference[]> {
  const ids = createIds();
  const stage = await openStage(ids, isModest);
  const found: Difference[] = [];
  try {
    for (const [place, step] of steps.entries()) {
      const at = `${place} ${nameOf(step)}`;
      try {
        const [plugin, mock] = await play(stage, step);
        found.push(...differences(at, plugin, ids.plain(mock)));
      } catch (error) {
        found.push({ at: `${at} throws`, plugin: step, mock: String(error) });
      }
    }
  } finally {
    stage.close();
  }
  return found;
}

function nameOf(step: Step): string {
  if ("call" in step) return step.call;
  if ("does" in step) return step.does;
  return Object.keys(step)[0] ?? "";
}

/** Plays one step. Returns what the plugin did and what the mock does. */
async function play(stage: Stage, step: Step): Promise<[unknown, unknown]> {
  if ("call" in step) {
    const { answer, bytes, error } = step;
    const plugin = error ? { error } : bytes ? { bytes } : { answer };
    return [plugin, await answerOf(stage, step)];
  }
  if ("message" in step) return [step.message, await stage.message()];
  if ("does" in step) await stage.act(step);
  else if ("passes" in step) await stage.passes(step.passes);
  else if ("opens" in step) await stage.open(step.opens);
  else await stage.reload();
  return [undefined, undefined];
}

async function answerOf(stage: Stage, step: CallStep): Promise<unknown> {
  const { call, page, meanwhile } = step;
  if (page) return stage.otherCalls(call, step.arguments);
  const answering = stage.call(call, step.arguments);
  if (meanwhile) await stage.act(meanwhile);
  try {
    const answer = await Promise.race([answering, stage.waits()]);
    if (answer instanceof ArrayBuffer) return { bytes: [...new Uint8Array(answer)] };
    // Messages travel as their text.
    return { answer: call === "ack" && answer !== null ? JSON.parse(String(answer)) : answer };
  } catch (error) {
    return { error: error instanceof Error ? error.message : error };
  }
}
