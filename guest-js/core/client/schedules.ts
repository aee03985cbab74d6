import { v7 as uuid } from "uuid";
import { check } from "../arguments/check.js";
import { commands } from "../calls/commands.js";
import { rethrow } from "../errors/from-rejection.js";
import type { SchedulesClient } from "../types/schedules-client.js";
import { SCHEDULE } from "./arguments.js";

export const schedulesClient: SchedulesClient = {
  schedules: () => commands.schedules().catch(rethrow),

  async trigger(...given) {
    const [name] = check("trigger", given, SCHEDULE);
    // The id lets the plugin recognise a repeat: Tauri may run a pending call a second time when the page reloads.
    return commands.trigger(name, uuid()).catch(rethrow);
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
