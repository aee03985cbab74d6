import { type Accessor, createMemo } from "solid-js";
import type { TestTasks } from "../../adapter-tests/backend.js";
import type { Shown } from "../../adapter-tests/harness.js";
import type { TaskPrimitives } from "../task-primitives.js";

export interface Used {
  /** Reads what there is to show. */
  readonly look: Accessor<unknown>;
  readonly controls?: unknown;
}

/** Uses what is asked for, with arguments that follow the props. */
export function useShown(primitives: TaskPrimitives<TestTasks>, props: () => Shown): Used {
  const { use } = props();
  /** Reads the props as those of this use. */
  const of = <U extends Shown["use"]>(_: U) => props() as Extract<Shown, { use: U }>;
  switch (use) {
    case "task":
      return { look: primitives.createTask(of(use).name, () => of(use).id) };
    case "tasks": {
      const { isEqual, select, everyMs } = of(use);
      const list = primitives.createTaskList(() => of(use).query ?? {}, { everyMs });
      if (!select) return { look: list };
      const equals = isEqual ?? Object.is;
      return { look: createMemo(() => of(use).select?.(list()), undefined, { equals }) };
    }
    case "start": {
      const { name } = of(use);
      const [look, controls] = primitives.createStartTask(name, () => of(use).defaults ?? {});
      return { look, controls };
    }
    case "batch": {
      const { name } = of(use);
      const [look, controls] = primitives.createBatch(name, () => of(use).defaults ?? {});
      return { look, controls };
    }
    case "progress":
      return { look: primitives.createTaskProgress(() => of(use).task) };
    case "items":
      return {
        look: primitives.createTaskItems(
          () => of(use).task,
          () => ({ limit: of(use).limit }),
        ),
      };
  }
}
