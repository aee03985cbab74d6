import type { ComputedRef } from "vue";
import type { TestTasks } from "../../adapter-tests/backend.js";
import type { Shown } from "../../adapter-tests/harness.js";
import type { TaskHooks } from "../task-hooks.js";

export interface Used {
  /** Reads what there is to show. */
  look(): unknown;
  readonly controls?: unknown;
}

/** Uses what is asked for, with arguments that follow the props. */
export function useShown(hooks: TaskHooks<TestTasks>, props: () => Shown): Used {
  const { use } = props();
  /** Reads the props as those of this use. */
  const of = <U extends Shown["use"]>(_: U) => props() as Extract<Shown, { use: U }>;
  switch (use) {
    case "task": {
      const task = hooks.useTask(
        () => of(use).name,
        () => of(use).id,
      );
      return { look: () => task.value };
    }
    case "tasks": {
      const query = () => of(use).query;
      const { isEqual, select } = of(use);
      const everyMs = () => of(use).everyMs;
      const list = select
        ? hooks.useTasks(query, {
            select: (state) => (of(use).select ?? select)(state),
            isEqual,
            everyMs,
          })
        : hooks.useTasks(query, { everyMs });
      return { look: () => list.value };
    }
    case "start":
      return launched(
        hooks.useStartTask(
          () => of(use).name,
          () => of(use).defaults ?? {},
        ),
      );
    case "batch":
      return launched(
        hooks.useBatch(
          () => of(use).name,
          () => of(use).defaults ?? {},
        ),
      );
    case "progress": {
      const progress = hooks.useTaskProgress(() => of(use).task);
      return { look: () => progress.value };
    }
    case "items": {
      const items = hooks.useTaskItems(() => of(use).task, { limit: () => of(use).limit });
      return { look: () => items.value };
    }
  }
}

function launched({ start, cancel, reset, ...refs }: Launch): Used {
  return {
    look: () => Object.fromEntries(Object.entries(refs).map(([field, ref]) => [field, ref.value])),
    controls: { start, cancel, reset },
  };
}

/** What both kinds of start return. */
type Launch = Readonly<Record<"start" | "cancel" | "reset", unknown>> &
  Readonly<Record<"state" | "task" | "snapshot" | "output" | "error", ComputedRef<unknown>>>;
