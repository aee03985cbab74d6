/** Runs the cases of all adapters with Solid. */
import type { TestTasks } from "../../adapter-tests/backend.js";
import type { Controls, Harness, Mounted, Shown, State } from "../../adapter-tests/harness.js";
import type { TasksClient } from "../../core/types/tasks-client.js";
import type { Used } from "./use-shown.js";

export async function loadHarness(tasks: TasksClient<TestTasks>): Promise<Harness> {
  // Each page has a Solid of its own, which isn't to warn of that of the page before.
  Reflect.deleteProperty(globalThis, "Solid$$");
  const { cleanup, render } = await import("@solidjs/testing-library");
  const { createComponent, createRenderEffect, createSignal } = await import("solid-js");
  const { useShown } = await import("./use-shown.js");
  const { createTaskPrimitives } = await import("../index.js");
  const primitives = createTaskPrimitives(tasks);

  function mount(first: Shown): Mounted {
    const seen: unknown[] = [];
    let used: Used | undefined;
    const [shown, show] = createSignal(first);
    const probe = (props: { shown: Shown }) => {
      const { look, controls } = useShown(primitives, () => props.shown);
      used = { look, controls };
      // What JSX makes of `{look()}`.
      createRenderEffect(() => seen.push(look()));
      return [];
    };
    const { unmount } = render(() =>
      createComponent(probe, {
        get shown() {
          return shown();
        },
      }),
    );
    return {
      state: () => seen.at(-1) as State,
      seen: () => seen as State[],
      renders: () => seen.length,
      controls: () => used?.controls as Controls,
      rerender: (shown) => void show(shown),
      unmount,
    };
  }

  return {
    mount,
    mountTwice(shown) {
      mount(shown).unmount();
      return mount(shown);
    },
    act: (change) => change(),
    cleanUp: cleanup,
  };
}
