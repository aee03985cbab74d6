import type { TestTasks } from "../../adapter-tests/backend.js";
import type { Shown } from "../../adapter-tests/harness.js";
import type { TaskHooks } from "../task-hooks.js";

/** Uses the hook that is asked for: the same one with each render of a component. */
export function useShown(hooks: TaskHooks<TestTasks>, shown: Shown): unknown {
  switch (shown.use) {
    case "task":
      return hooks.useTask(shown.name, shown.id);
    case "tasks": {
      const { query, select, isEqual, everyMs } = shown;
      return select
        ? hooks.useTasks(query, { select, isEqual, everyMs })
        : hooks.useTasks(query, { everyMs });
    }
    case "start":
      return hooks.useStartTask(shown.name, shown.defaults);
    case "batch":
      return hooks.useBatch(shown.name, shown.defaults);
    case "progress":
      return hooks.useTaskProgress(shown.task);
    case "items":
      return hooks.useTaskItems(shown.task, { limit: shown.limit });
  }
}
