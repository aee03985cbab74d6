/** Runs the cases of all adapters with React. */
import { act, cleanup, render } from "@testing-library/react";
import { createElement, StrictMode } from "react";
import type { TestTasks } from "../../adapter-tests/backend.js";
import type { Controls, Harness, Mounted, Shown, State } from "../../adapter-tests/harness.js";
import type { TasksClient } from "../../core/types/tasks-client.js";
import type { TaskHooks } from "../task-hooks.js";
import { useShown } from "./use-shown.js";

export async function loadHarness(tasks: TasksClient<TestTasks>): Promise<Harness> {
  const { createTaskHooks } = await import("../index.js");
  const hooks = createTaskHooks(tasks);
  return {
    mount: (shown) => mount(hooks, shown, false),
    mountTwice: (shown) => mount(hooks, shown, true),
    act,
    cleanUp: cleanup,
  };
}

function mount(hooks: TaskHooks<TestTasks>, shown: Shown, reactStrictMode: boolean): Mounted {
  const seen: unknown[] = [];
  const Probe = ({ shown }: { shown: Shown }) => {
    seen.push(useShown(hooks, shown));
    return null;
  };
  const { rerender, unmount } = render(createElement(Probe, { shown }), {
    wrapper: reactStrictMode ? StrictMode : undefined,
  });
  return {
    state: () => seen.at(-1) as State,
    seen: () => seen as State[],
    renders: () => seen.length,
    controls: () => seen.at(-1) as Controls,
    rerender: (shown) => rerender(createElement(Probe, { shown })),
    unmount,
  };
}
