import { v7 as uuid } from "uuid";
import { rethrow } from "../errors/from-rejection.js";
import { commands } from "../ipc/bindings.js";
import type { SchedulesClient } from "../types/schedules-client.js";

export const schedulesClient: SchedulesClient = {
  schedules: () => commands.schedules().catch(rethrow),

  // The id lets the plugin recognise a repeat: Tauri may run a pending call a second time when the page reloads.
  trigger: (name) => commands.trigger(name, uuid()).catch(rethrow),

  async pauseSchedule(name) {
    await commands.pauseSchedule(name).catch(rethrow);
  },

  async resumeSchedule(name) {
    await commands.resumeSchedule(name).catch(rethrow);
  },
};
