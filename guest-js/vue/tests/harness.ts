/** Runs the cases of all adapters with Vue. */
import { cleanup, render } from "@testing-library/vue";
import { defineComponent, markRaw, nextTick, type PropType } from "vue";
import type { TestTasks } from "../../adapter-tests/backend.js";
import type { Controls, Harness, Mounted, Shown, State } from "../../adapter-tests/harness.js";
import type { TasksClient } from "../../core/types/tasks-client.js";
import type { TaskHooks } from "../task-hooks.js";
import { useShown } from "./use-shown.js";

export async function loadHarness(tasks: TasksClient<TestTasks>): Promise<Harness> {
  const { createTaskHooks } = await import("../index.js");
  const hooks = createTaskHooks(tasks);
  return {
    mount: (shown) => mount(hooks, shown),
    mountTwice(shown) {
      mount(hooks, shown).unmount();
      return mount(hooks, shown);
    },
    async act(change) {
      await change();
      await nextTick();
    },
    cleanUp: cleanup,
  };
}

function mount(hooks: TaskHooks<TestTasks>, shown: Shown): Mounted {
  const seen: unknown[] = [];
  let controls: unknown;
  const Probe = defineComponent({
    props: { shown: { type: Object as PropType<Shown>, required: true } },
    setup(props) {
      const used = useShown(hooks, () => props.shown);
      controls = used.controls;
      return () => {
        seen.push(used.look());
        return null;
      };
    },
  });
  const { rerender, unmount } = render(Probe, { props: { shown: markRaw(shown) } });
  return {
    state: () => seen.at(-1) as State,
    seen: () => seen as State[],
    renders: () => seen.length,
    controls: () => controls as Controls,
    rerender: (shown) => rerender({ shown: markRaw(shown) }),
    unmount,
  };
}
