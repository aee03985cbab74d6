/** What only Svelte does: runes, stores, and state that no component owns. */
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import {
  type Backend,
  GRACE_MS,
  loadBackend,
  type TestTasks,
} from "../../adapter-tests/backend.js";
import type { TaskSnapshotOf } from "../../core/types/snapshot.js";
import type { TaskState } from "../../store/index.js";
import type { Current, TaskStates } from "../task-states.js";

/** Loads what tests need of Svelte, from the same load as the adapter. */
async function loadSvelte() {
  const { cleanup, render } = await import("@testing-library/svelte");
  const { derived, get } = await import("svelte/store");
  return {
    ...(await import("../index.js")),
    ...(await import("./runes.svelte.js")),
    flushSync: (await import("svelte")).flushSync,
    stores: await import("../../store/index.js"),
    components: {
      Auto: (await import("./Auto.svelte")).default,
      Derived: (await import("./Derived.svelte")).default,
      Legacy: (await import("./Legacy.svelte")).default,
      Silent: (await import("./Silent.svelte")).default,
    },
    cleanup,
    derived,
    get,
    render,
  };
}

let backend: Backend;
let svelte: Awaited<ReturnType<typeof loadSvelte>>;
let states: TaskStates<TestTasks>;
beforeEach(async () => {
  backend = await loadBackend();
  svelte = await loadSvelte();
  states = svelte.createTaskStates(backend.tasks);
});
afterEach(() => {
  svelte.cleanup();
  backend.unload();
});

/** Returns what a component shows on the page. */
function text(): string {
  return document.body.textContent.trim();
}

/** Runs an effect, and returns how often it has run so far. */
function countRuns(effect: () => void) {
  let runs = 0;
  const stop = svelte.runEffect(() => {
    runs += 1;
    effect();
  });
  svelte.flushSync();
  return { runs: () => runs, stop };
}

async function pass(ms?: number): Promise<void> {
  await backend.advance(ms);
  svelte.flushSync();
}

describe("state that no component owns", () => {
  it("is followed while something reads it, and is never old when that comes back", async () => {
    const id = backend.begin("tick");
    const task = states.taskState("tick", () => id);
    const { Derived } = svelte.components;
    const { rerender } = svelte.render(Derived, { task, open: true });
    await pass();
    expect(text()).toBe("ready 0");
    await rerender({ open: false });
    await pass(2 * GRACE_MS);
    expect(backend.kept().followed).toBe(0);
    backend.report(id, 5);
    await rerender({ open: true });
    expect(text()).toBe("loading undefined");
    await pass();
    expect(text()).toBe("ready 5");
  });

  it("goes on when it is read again at once", async () => {
    const id = backend.begin("tick");
    const task = states.taskState("tick", () => id);
    const { Derived } = svelte.components;
    const { rerender } = svelte.render(Derived, { task, open: true });
    await pass();
    await rerender({ open: false });
    backend.report(id, 3);
    await pass(GRACE_MS / 2);
    await rerender({ open: true });
    expect(text()).toBe("ready 3");
    backend.report(id, 4);
    await pass();
    expect([text(), backend.calls("watch")]).toEqual(["ready 4", 1]);
  });

  it("survives the component that showed it", async () => {
    const id = backend.begin("tick");
    const task = states.taskState("tick", () => id);
    const { Derived } = svelte.components;
    const first = svelte.render(Derived, { task, open: true });
    await pass();
    first.unmount();
    await pass(2 * GRACE_MS);
    expect(task.current).toEqual({ state: "loading" });
    svelte.render(Derived, { task, open: true });
    backend.report(id, 1);
    await pass();
    expect(text()).toBe("ready 1");
  });

  it("follows nothing when it is read where nothing runs again", async () => {
    const id = backend.begin("tick");
    const task = states.taskState("tick", () => id);
    expect(task.current).toEqual({ state: "loading" });
    await pass();
    expect([task.current, backend.calls("watch")]).toEqual([{ state: "loading" }, 0]);
  });
});

describe("a component that shows nothing of its state", () => {
  it("follows it for its event handlers", async () => {
    const id = svelte.box<string | null>(backend.begin("tick"));
    let task: Current<TaskState> | undefined;
    const use = () => {
      task = states.taskState("tick", () => id.value);
    };
    const { unmount } = svelte.render(svelte.components.Silent, { use });
    await pass();
    expect(task?.current.task?.id).toBe(id.value);
    id.value = backend.begin("tick");
    await pass(2 * GRACE_MS);
    expect(task?.current.task?.id).toBe(id.value);
    expect(backend.kept().followed).toBe(1);
    unmount();
    await pass(2 * GRACE_MS);
    expect(backend.kept().followed).toBe(0);
  });

  it("gives up what it has started when it is unmounted, if asked", async () => {
    let start: (() => Promise<{ readonly id: string }>) | undefined;
    const use = () => {
      ({ start } = states.startState("tick", { cancelOnUnmount: true }));
    };
    const { unmount } = svelte.render(svelte.components.Silent, { use });
    const task = await start?.();
    await pass(2 * GRACE_MS);
    expect(await backend.reasonOf(task?.id ?? "")).toBeNull();
    unmount();
    await pass(2 * GRACE_MS);
    expect(await backend.reasonOf(task?.id ?? "")).toBe("signal");
  });
});

describe("a change of what a getter reads", () => {
  it("is seen at once, before any effect has run", async () => {
    const id = svelte.box<string | null>(backend.begin("tick"));
    const task = states.taskState("tick", () => id.value);
    const { stop } = countRuns(() => task.current);
    await pass();
    expect(task.current.task?.id).toBe(id.value);
    id.value = backend.begin("tick");
    expect(task.current).toEqual({ state: "loading" });
    id.value = null;
    expect(task.current).toEqual({ state: "idle" });
    await pass(2 * GRACE_MS);
    expect(backend.kept().followed).toBe(0);
    stop();
  });

  it("may be in a selector", async () => {
    backend.begin("tick");
    backend.begin("download");
    const kind = svelte.box("tick");
    const names = states.listState(undefined, {
      select: ({ tasks }) =>
        tasks.filter(({ task }) => task === kind.value).map(({ task }) => task),
    });
    let seen: unknown;
    const { stop } = countRuns(() => {
      seen = names.current;
    });
    await pass();
    expect(seen).toEqual(["tick"]);
    kind.value = "download";
    svelte.flushSync();
    expect([seen, backend.calls("watch")]).toEqual([["download"], 1]);
    stop();
  });

  it("may be in a query that is deeply reactive", async () => {
    const download = backend.begin("download");
    const query = svelte.box<{ task: (keyof TestTasks)[] }>({ task: ["tick"] });
    const list = states.listState(() => query.value);
    const { stop } = countRuns(() => list.current);
    await pass();
    expect(list.current).toEqual({ state: "ready", tasks: [] });
    query.value.task.push("download");
    expect(list.current).toEqual({ state: "loading", tasks: [] });
    await pass();
    expect(list.current.tasks.map(({ id }) => id)).toEqual([download]);
    stop();
  });
});

describe("an effect", () => {
  it("runs once for each change, however many states and effects show the same", async () => {
    const id = backend.begin("tick");
    const show = () => {
      const task = states.taskState("tick", () => id);
      return [countRuns(() => task.current), countRuns(() => task.current)];
    };
    const effects = [...show(), ...show()];
    await pass();
    backend.report(id, 1);
    await pass();
    // Loading, ready, and the progress.
    expect(effects.map(({ runs }) => runs())).toEqual([3, 3, 3, 3]);
    for (const { stop } of effects) stop();
  });

  it("runs though somebody who is told before has read the new value already", async () => {
    const id = backend.begin("tick");
    const task = states.taskState("tick", () => id);
    const stopReading = svelte.stores
      .taskStore(backend.tasks, "tick", id)
      .subscribe(() => void task.current);
    let seen: unknown;
    const { stop } = countRuns(() => {
      seen = task.current.snapshot?.progress.completed;
    });
    await pass();
    backend.report(id, 1);
    await pass();
    expect(seen).toBe(1);
    stop();
    stopReading();
  });

  it("that starts runs neither for what comes of it nor for the defaults", async () => {
    const label = svelte.box("old");
    const tick = states.startState("tick", () => ({ label: label.value }));
    const reader = countRuns(() => tick.current);
    const starter = countRuns(() => void tick.start());
    await pass();
    label.value = "new";
    backend.run(tick.current.task?.id ?? "");
    await pass();
    expect(tick.current).toMatchObject({ state: "running", snapshot: { label: "old" } });
    expect([starter.runs(), backend.calls("start")]).toEqual([1, 1]);
    reader.stop();
    starter.stop();
  });
});

it("takes a handle that Svelte has made deeply reactive", async () => {
  const id = backend.begin("tail");
  const handle = svelte.box(await backend.tasks.attach("tail", id));
  const progress = states.progressState(() => handle.value);
  const items = states.itemsState(() => handle.value);
  const { stop } = countRuns(() => [progress.current, items.current]);
  backend.report(id, 2);
  backend.emit(id, "a");
  await pass(GRACE_MS);
  expect([progress.current.completed, items.current.items]).toEqual([2, ["a"]]);
  stop();
});

describe("a store of Svelte", () => {
  it("calls at once, and with each change after that", async () => {
    const seen: string[] = [];
    const list = svelte.toStore(svelte.stores.listStore(backend.tasks));
    const stop = list.subscribe(({ state, tasks }) => seen.push(`${state} ${tasks.length}`));
    expect(seen).toEqual(["loading 0"]);
    await pass();
    backend.begin("tick");
    await pass();
    expect(seen).toEqual(["loading 0", "ready 0", "ready 1"]);
    stop();
    backend.begin("tick");
    await pass(2 * GRACE_MS);
    expect([seen.length, backend.kept().watches]).toEqual([3, 0]);
  });

  it("works with `get`, `derived` and `$`", async () => {
    const list = svelte.toStore(svelte.stores.listStore(backend.tasks));
    const count = svelte.derived(list, ({ tasks }) => tasks.length);
    svelte.render(svelte.components.Auto, { store: count });
    backend.begin("tick");
    await pass();
    expect([text(), svelte.get(count)]).toEqual(["1", 1]);
  });
  it("never shows the old task in a component without runes", async () => {
    const [old, other] = [backend.begin("tick"), backend.begin("tick")];
    const follow = (id: string) =>
      svelte.toStore(svelte.stores.taskStore(backend.tasks, "tick", id));
    const { rerender } = svelte.render(svelte.components.Legacy, { follow, id: old });
    backend.report(old, 1);
    await pass();
    expect(text()).toBe("ready 1");
    const answer = backend.hold("watch");
    await rerender({ id: other });
    expect(text()).toBe("loading");
    answer();
    await pass(2 * GRACE_MS);
    expect([text(), backend.kept().followed]).toEqual(["ready 0", 1]);
  });
});

it("types what it returns by the client's kinds", () => {
  const task = states.taskState("download", () => null);
  expectTypeOf(task).toEqualTypeOf<Current<TaskState<TestTasks["download"]>>>();
  if (task.current.state === "ready")
    expectTypeOf(task.current.task.result).toEqualTypeOf<Promise<string>>();
  const download = states.startState("download", () => ({ label: "Download" }));
  expectTypeOf(download.start).parameter(0).toEqualTypeOf<{ url: string }>();
  expectTypeOf(download.current.output).toEqualTypeOf<string | undefined>();
  const list = states.listState(() => ({ task: "download" }));
  expectTypeOf(list.current.tasks).toEqualTypeOf<
    readonly TaskSnapshotOf<TestTasks["download"], "download">[]
  >();
  const count = states.listState(() => ({ task: "tail" }), { select: ({ tasks }) => tasks.length });
  expectTypeOf(count).toEqualTypeOf<Current<number>>();
  const tail = states.startState("tail");
  const items = states.itemsState(() => tail.current.task);
  expectTypeOf(items.current.items).toEqualTypeOf<readonly (string | number)[]>();
  const progress = states.progressState(() => download.current.task);
  expectTypeOf(progress.current?.detail).toEqualTypeOf<{ file: string } | null | undefined>();
  const batch = states.batchState("download");
  expectTypeOf(batch.current.output).toEqualTypeOf<PromiseSettledResult<string>[] | undefined>();
  // @ts-expect-error This kind has an input.
  expectTypeOf(download.start).toBeCallableWith();
  // @ts-expect-error There is no such kind.
  states.taskState("upload", () => null);
  // @ts-expect-error There is no such kind.
  states.listState(() => ({ task: "upload" }));
  // @ts-expect-error An id that is no getter would never change.
  states.taskState("download", "id");
});
