import { render } from "svelte/server";
import { get } from "svelte/store";
import { expect, it, vi } from "vitest";
import { describeOnServer } from "../../adapter-tests/server-cases.js";
import { createTasks } from "../../core/index.js";
import { listStore } from "../../store/index.js";
import { createTaskStates, toStore } from "../index.js";
import Probe from "./Probe.svelte";

describeOnServer("state of Svelte on a server", async (tasks, shown) => {
  const states = createTaskStates(tasks);
  let state: unknown;
  await render(Probe, {
    props: {
      states,
      shown,
      render: (value: unknown) => {
        state = value;
      },
    },
  });
  return state;
});

it("opens nothing for a store of Svelte on a server", () => {
  vi.useFakeTimers();
  const list = toStore(listStore(createTasks()));
  expect(get(list)).toEqual({ state: "loading", tasks: [] });
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});
