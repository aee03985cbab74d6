import type { TestTasks } from "../../adapter-tests/backend.js";
import type { Shown } from "../../adapter-tests/harness.js";
import type { Current, TaskStates } from "../task-states.js";

/** Makes the state that is asked for, with arguments that follow the props. */
export function stateOf(states: TaskStates<TestTasks>, props: () => Shown): Current<unknown> {
  const { use } = props();
  /** Reads the props as those of this use. */
  const of = <U extends Shown["use"]>(_: U) => props() as Extract<Shown, { use: U }>;
  switch (use) {
    case "task":
      return states.taskState(of(use).name, () => of(use).id);
    case "tasks": {
      const query = () => of(use).query ?? {};
      const { isEqual, select, everyMs } = of(use);
      return select
        ? states.listState(query, {
            select: (state) => (of(use).select ?? select)(state),
            isEqual,
            everyMs,
          })
        : states.listState(query, { everyMs });
    }
    case "start":
      return states.startState(of(use).name, () => of(use).defaults ?? {});
    case "batch":
      return states.batchState(of(use).name, () => of(use).defaults ?? {});
    case "progress":
      return states.progressState(() => of(use).task);
    case "items":
      return states.itemsState(
        () => of(use).task,
        () => ({ limit: of(use).limit }),
      );
  }
}
