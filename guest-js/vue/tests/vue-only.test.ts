/** What only Vue does: scopes, effects that follow what they read, and changes that are seen before the next render. */
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import { type ComputedRef, type EffectScope, effectScope, nextTick, ref, watchEffect } from "vue";
import {
  type Backend,
  GRACE_MS,
  loadBackend,
  type TestTasks,
} from "../../adapter-tests/backend.js";
import type { TaskSnapshotOf } from "../../core/types/snapshot.js";
import type { TaskState } from "../../store/index.js";
import type { TaskHooks } from "../task-hooks.js";

let backend: Backend;
let hooks: TaskHooks<TestTasks>;
let scope: EffectScope;
beforeEach(async () => {
  backend = await loadBackend();
  hooks = (await import("../index.js")).createTaskHooks(backend.tasks);
  scope = effectScope();
});
afterEach(() => {
  scope.stop();
  backend.unload();
});

/** Runs what a component would run in `setup`. */
function setUp<T>(run: () => T): T {
  return scope.run(run) as T;
}

describe("a scope", () => {
  it("follows until it is stopped", async () => {
    await backend.tasks.list();
    const before = backend.kept();
    const id = backend.begin("tick");
    const task = setUp(() => hooks.useTask("tick", id));
    await backend.advance();
    expect([task.value.state, backend.kept().followed]).toEqual(["ready", 1]);
    scope.stop();
    await backend.advance(2 * GRACE_MS);
    expect(backend.kept()).toEqual(before);
  });

  it("is missed with a warning that says what to do", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const list = hooks.useTasks();
    await backend.advance();
    expect(list.value.state).toBe("ready");
    expect(warn.mock.calls.map(([text]) => text)).toEqual([
      expect.stringContaining("Call this in `setup`"),
    ]);
  });
});

describe("a change of an argument", () => {
  it("is seen at once, before anything renders", async () => {
    const [old, other] = [backend.begin("tick"), backend.begin("tick")];
    const id = ref<string | null>(old);
    const task = setUp(() => hooks.useTask("tick", id));
    await backend.advance();
    expect(task.value.task?.id).toBe(old);
    id.value = other;
    expect(task.value).toEqual({ state: "loading" });
    id.value = null;
    expect(task.value).toEqual({ state: "idle" });
    await backend.advance(2 * GRACE_MS);
    expect(backend.kept().followed).toBe(0);
  });

  it("may be in a selector", async () => {
    backend.begin("tick");
    backend.begin("download");
    const kind = ref("tick");
    const select = ({ tasks }: { tasks: readonly { task: string }[] }) =>
      tasks.filter(({ task }) => task === kind.value).map(({ task }) => task);
    const names = setUp(() => hooks.useTasks(undefined, { select }));
    await backend.advance();
    expect(names.value).toEqual(["tick"]);
    kind.value = "download";
    expect(names.value).toEqual(["download"]);
    expect(backend.calls("watch")).toBe(1);
  });

  it("gives a start of another kind, which is idle", async () => {
    const kind = ref<"tick" | "tail">("tick");
    const { start, snapshot, state } = setUp(() => hooks.useStartTask(kind));
    await start();
    await backend.advance();
    expect([state.value, snapshot.value?.task]).toEqual(["queued", "tick"]);
    kind.value = "tail";
    expect([state.value, snapshot.value]).toEqual(["idle", undefined]);
    await start();
    await backend.advance();
    expect(snapshot.value?.task).toBe("tail");
  });
});

describe("an effect that starts", () => {
  it("does not run again for what comes of it", async () => {
    const effect = vi.fn();
    const { state } = setUp(() => {
      const started = hooks.useStartTask("tick");
      watchEffect(() => {
        effect();
        void started.start();
      });
      return started;
    });
    await backend.advance();
    const [one] = (await backend.tasks.list()).tasks;
    backend.run(one?.id ?? "");
    await backend.advance();
    await nextTick();
    expect([state.value, effect.mock.calls.length, backend.calls("start")]).toEqual([
      "running",
      1,
      1,
    ]);
  });
});

it("types what it returns by the client's kinds", () => {
  setUp(() => {
    const task = hooks.useTask("download", () => null);
    expectTypeOf(task).toEqualTypeOf<ComputedRef<TaskState<TestTasks["download"]>>>();
    if (task.value.state === "ready")
      expectTypeOf(task.value.task.result).toEqualTypeOf<Promise<string>>();
    const { start, output } = hooks.useStartTask("download", ref({ label: "Download" }));
    expectTypeOf(start).parameter(0).toEqualTypeOf<{ url: string }>();
    expectTypeOf(output.value).toEqualTypeOf<string | undefined>();
    const list = hooks.useTasks(() => ({ task: "download" as const }));
    expectTypeOf(list.value.tasks).toEqualTypeOf<
      readonly TaskSnapshotOf<TestTasks["download"], "download">[]
    >();
    const count = hooks.useTasks({ task: "tail" }, { select: ({ tasks }) => tasks.length });
    expectTypeOf(count).toEqualTypeOf<ComputedRef<number>>();
    const tail = hooks.useStartTask("tail");
    expectTypeOf(hooks.useTaskItems(tail.task).value.items).toEqualTypeOf<
      readonly (string | number)[]
    >();
    const progress = hooks.useTaskProgress(hooks.useStartTask("download").task);
    expectTypeOf(progress.value?.detail).toEqualTypeOf<{ file: string } | null | undefined>();
    const batch = hooks.useBatch("download");
    expectTypeOf(batch.output.value).toEqualTypeOf<PromiseSettledResult<string>[] | undefined>();
    // @ts-expect-error This kind has an input.
    expectTypeOf(start).toBeCallableWith();
    // @ts-expect-error There is no such kind.
    hooks.useTask("upload", null);
    // @ts-expect-error There is no such kind.
    hooks.useTasks({ task: "upload" });
  });
});
