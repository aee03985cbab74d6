/** What only Solid does: roots, effects, rows of `<For>`, batches of changes, and transitions. */

import type { Accessor } from "solid-js";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import {
  type Backend,
  GRACE_MS,
  loadBackend,
  type TestTasks,
} from "../../adapter-tests/backend.js";
import type { TaskSnapshotOf } from "../../core/types/snapshot.js";
import type { ListState, TaskState } from "../../store/index.js";
import type { TaskPrimitives } from "../task-primitives.js";

let backend: Backend;
let solid: typeof import("solid-js");
let web: typeof import("solid-js/web");
let primitives: TaskPrimitives<TestTasks>;
let dispose: () => void;
beforeEach(async () => {
  backend = await loadBackend();
  // Each page has a Solid of its own, which isn't to warn of that of the page before.
  Reflect.deleteProperty(globalThis, "Solid$$");
  solid = await import("solid-js");
  web = await import("solid-js/web");
  primitives = (await import("../index.js")).createTaskPrimitives(backend.tasks);
  dispose = () => {};
});
afterEach(() => {
  dispose();
  document.body.replaceChildren();
  backend.unload();
});

/** Runs what a component would run, until the end of the test. */
function setUp<T>(run: () => T): T {
  return solid.createRoot((end) => {
    dispose = end;
    return run();
  });
}

describe("a root", () => {
  it("follows until it is disposed of", async () => {
    await backend.tasks.list();
    const before = backend.kept();
    const id = backend.begin("tick");
    const task = setUp(() => primitives.createTask("tick", () => id));
    await backend.advance();
    expect([task().state, backend.kept().followed]).toEqual(["ready", 1]);
    dispose();
    await backend.advance(2 * GRACE_MS);
    expect(backend.kept()).toEqual(before);
  });

  it("is missed with a warning", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const list = primitives.createTaskList();
    await backend.advance();
    expect(list().state).toBe("ready");
    expect(warn.mock.calls.map(([text]) => text)).toContainEqual(
      expect.stringContaining("outside a `createRoot`"),
    );
  });
});

describe("a change of what a getter reads", () => {
  it("is seen at once, in a batch of changes, too", async () => {
    const [old, other] = [backend.begin("tick"), backend.begin("tick")];
    const [id, setId] = solid.createSignal<string | null>(old);
    const task = setUp(() => primitives.createTask("tick", id));
    await backend.advance();
    expect(task().task?.id).toBe(old);
    solid.batch(() => {
      setId(other);
      expect(task()).toEqual({ state: "loading" });
    });
    setId(null);
    expect(task()).toEqual({ state: "idle" });
    await backend.advance(2 * GRACE_MS);
    expect(backend.kept().followed).toBe(0);
  });

  it("may be in a store", async () => {
    backend.begin("tick");
    const download = backend.begin("download");
    const { createStore } = await import("solid-js/store");
    const [query, setQuery] = createStore<{ task: (keyof TestTasks)[] }>({ task: [] });
    const list = setUp(() => primitives.createTaskList(() => query));
    await backend.advance();
    expect(list()).toEqual({ state: "ready", tasks: [] });
    setQuery("task", 0, "download");
    await backend.advance();
    expect(list().tasks.map(({ id }) => id)).toEqual([download]);
  });
});

describe("an effect", () => {
  it("runs once for each change", async () => {
    const id = backend.begin("tick");
    backend.run(id);
    const effect = vi.fn();
    setUp(() => {
      const task = primitives.createTask("tick", () => id);
      solid.createEffect(() => effect(task().snapshot?.progress.completed));
    });
    await backend.advance();
    backend.report(id, 1);
    await backend.advance();
    expect(effect.mock.calls).toEqual([[undefined], [0], [1]]);
  });

  it("that starts runs neither for what comes of it nor for the defaults", async () => {
    const effect = vi.fn();
    const [label, setLabel] = solid.createSignal("old");
    const tick = setUp(() => {
      const [state, { start }] = primitives.createStartTask("tick", () => ({ label: label() }));
      solid.createEffect(() => {
        effect();
        void start();
      });
      return state;
    });
    await backend.advance();
    setLabel("new");
    backend.run(tick().task?.id ?? "");
    await backend.advance();
    expect(tick()).toMatchObject({ state: "running", snapshot: { label: "old" } });
    expect([effect.mock.calls.length, backend.calls("start")]).toEqual([1, 1]);
  });
});

/** Shows the ids and statuses of a list in paragraphs, as `<For>` in JSX does. Returns the paragraphs on the page. */
function showRows(list: Accessor<ListState<{ readonly id: string; readonly status: string }>>) {
  const row = (one: { readonly id: string; readonly status: string }) => {
    const paragraph = document.createElement("p");
    paragraph.textContent = `${one.id} ${one.status}`;
    return paragraph;
  };
  web.insert(
    document.body,
    solid.createComponent(solid.For, {
      get each() {
        return list().tasks;
      },
      children: row,
    }),
  );
  return () => [...document.querySelectorAll("p")];
}

describe("rows of `<For>`", () => {
  it("stay for tasks that have not changed, and go with their tasks", async () => {
    const [still, moves, gone] = [
      backend.begin("tick"),
      backend.begin("tick"),
      backend.begin("tick"),
    ];
    const rows = setUp(() => showRows(primitives.createTaskList()));
    await backend.advance();
    const before = rows();
    backend.run(moves);
    backend.forget(gone);
    await backend.advance();
    expect(rows().map(({ textContent }) => textContent)).toEqual([
      `${still} queued`,
      `${moves} running`,
    ]);
    expect(rows()[0]).toBe(before[0]);
  });
});

describe("a transition", () => {
  it("shows the new task when it is over, and follows that alone", async () => {
    const [old, other] = [backend.begin("tick"), backend.begin("tick")];
    const [id, setId] = solid.createSignal(old);
    let load = (_: string) => {};
    const seen: unknown[] = [];
    setUp(() => {
      const [name] = solid.createResource(
        id,
        () => new Promise<string>((resolve) => (load = resolve)),
      );
      const page = () => {
        const task = primitives.createTask("tick", id);
        solid.createRenderEffect(() => {
          const { state, snapshot } = task();
          seen.push([name(), state, snapshot?.id]);
        });
        return [];
      };
      web.insert(
        document.body,
        solid.createComponent(solid.Suspense, {
          get children() {
            return solid.createComponent(page, {});
          },
        }),
      );
    });
    load("first");
    await backend.advance();
    expect(seen.at(-1)).toEqual(["first", "ready", old]);
    const done = solid.startTransition(() => setId(other));
    await backend.advance(2 * GRACE_MS);
    load("second");
    await backend.advance();
    await done;
    expect(seen.at(-1)).toEqual(["second", "ready", other]);
    expect(seen).not.toContainEqual(["second", "ready", old]);
    expect(backend.kept().followed).toBe(1);
  });
});

it("types what it returns by the client's kinds", () => {
  setUp(() => {
    const task = primitives.createTask("download", () => null);
    expectTypeOf(task).toEqualTypeOf<Accessor<TaskState<TestTasks["download"]>>>();
    const now = task();
    if (now.state === "ready") expectTypeOf(now.task.result).toEqualTypeOf<Promise<string>>();
    const [download, { start }] = primitives.createStartTask("download", { label: "Download" });
    expectTypeOf(start).parameter(0).toEqualTypeOf<{ url: string }>();
    expectTypeOf(download().output).toEqualTypeOf<string | undefined>();
    const list = primitives.createTaskList(() => ({ task: "download" }));
    expectTypeOf(list().tasks).toEqualTypeOf<
      readonly TaskSnapshotOf<TestTasks["download"], "download">[]
    >();
    const [tail] = primitives.createStartTask("tail");
    const items = primitives.createTaskItems(() => tail().task);
    expectTypeOf(items().items).toEqualTypeOf<readonly (string | number)[]>();
    const progress = primitives.createTaskProgress(() => download().task);
    expectTypeOf(progress()?.detail).toEqualTypeOf<{ file: string } | null | undefined>();
    const [batch] = primitives.createBatch("download");
    expectTypeOf(batch().output).toEqualTypeOf<PromiseSettledResult<string>[] | undefined>();
    // @ts-expect-error This kind has an input.
    expectTypeOf(start).toBeCallableWith();
    // @ts-expect-error There is no such kind.
    primitives.createTask("upload", () => null);
    // @ts-expect-error There is no such kind.
    primitives.createTaskList(() => ({ task: "upload" }));
    // @ts-expect-error An id that is no getter would never change.
    expectTypeOf(primitives.createTask<"tick">).toBeCallableWith("tick", "id");
  });
});
