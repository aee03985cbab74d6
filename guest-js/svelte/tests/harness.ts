/** Runs the cases of all adapters with Svelte. */
import type { TestTasks } from "../../adapter-tests/backend.js";
import type { Controls, Harness, Mounted, Shown, State } from "../../adapter-tests/harness.js";
import type { TasksClient } from "../../core/types/tasks-client.js";
import type { Current } from "../task-states.js";

export async function loadHarness(tasks: TasksClient<TestTasks>): Promise<Harness> {
  // Each page has a Svelte of its own, which comes from the same load as the adapter.
  const { cleanup, render } = await import("@testing-library/svelte");
  const { flushSync } = await import("svelte");
  const { default: Probe } = await import("./Probe.svelte");
  const { createTaskStates } = await import("../index.js");
  const states = createTaskStates(tasks);

  function mount(shown: Shown): Mounted {
    const seen: unknown[] = [];
    let state: Current<unknown> | undefined;
    const { rerender, unmount } = render(Probe, {
      states,
      shown,
      use: (current: Current<unknown>) => {
        state = current;
      },
      render: (value: unknown) => seen.push(value),
    });
    return {
      state: () => seen.at(-1) as State,
      seen: () => seen as State[],
      renders: () => seen.length,
      controls: () => state as unknown as Controls,
      rerender: (shown) => rerender({ shown }),
      unmount,
    };
  }

  return {
    mount,
    mountTwice(shown) {
      mount(shown).unmount();
      return mount(shown);
    },
    async act(change) {
      await change();
      flushSync();
    },
    cleanUp: cleanup,
  };
}
