import { v7 as uuid } from "uuid";
import { check } from "../arguments/check.js";
import { commands } from "../calls/commands.js";
import { isUnanswered, withLate } from "../calls/late.js";
import { rethrow } from "../errors/from-rejection.js";
import type { TaskSnapshot } from "../ipc/bindings.js";
import type { SchedulesClient } from "../types/schedules-client.js";
import { SCHEDULE } from "./arguments.js";
import { leave } from "./launch.js";
import { page } from "./shared-page.js";

/** How long a trigger that was given up may be repeated under its id, in milliseconds. The plugin remembers ids for longer. */
const REPEAT_MS = 5 * 60_000;

/** The triggers that the page has given up and that may still be carried out, by their ids. */
const givenUp = new Map<string, { readonly name: string; readonly at: number }>();

/** Starts or joins a run. If it is answered too late, gives its share in the run back, unless a repeat has taken it over. */
async function trigger(name: string): Promise<TaskSnapshot> {
  // The id lets the plugin recognise a repeat. Tauri repeats a call, too, if it is pending when the page reloads.
  const id = takeGivenUp(name) ?? uuid();
  const late = (run: TaskSnapshot) => {
    // The app owns the run, even if this has started it.
    if (givenUp.delete(id)) void leave(id, () => page.tasks.recheck(run.id));
  };
  try {
    return await withLate(commands.trigger(name, id), late);
  } catch (error) {
    if (isUnanswered(error)) givenUp.set(id, { name, at: performance.now() });
    throw error;
  }
}

/** Returns the id of the first trigger of this schedule that was given up, unless that is long ago. */
function takeGivenUp(name: string): string | undefined {
  for (const [id, call] of givenUp) {
    if (call.name !== name) continue;
    givenUp.delete(id);
    if (performance.now() - call.at < REPEAT_MS) return id;
  }
  return undefined;
}

export const schedulesClient: SchedulesClient = {
  schedules: () => commands.schedules().catch(rethrow),

  async trigger(...given) {
    const [name] = check("trigger", given, SCHEDULE);
    return trigger(name).catch(rethrow);
  },

  async pauseSchedule(...given) {
    const [name] = check("pauseSchedule", given, SCHEDULE);
    await commands.pauseSchedule(name).catch(rethrow);
  },

  async resumeSchedule(...given) {
    const [name] = check("resumeSchedule", given, SCHEDULE);
    await commands.resumeSchedule(name).catch(rethrow);
  },
};
