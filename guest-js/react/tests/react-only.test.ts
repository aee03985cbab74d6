/** What only React does: effects that run twice, renders that come to nothing, pages that a server has rendered. */
import { act, cleanup, render } from "@testing-library/react";
import { createElement, type FC, StrictMode, Suspense, useEffect } from "react";
import { hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import {
  type Backend,
  GRACE_MS,
  loadBackend,
  type TestTasks,
} from "../../adapter-tests/backend.js";
import type { TaskSnapshotOf } from "../../core/types/snapshot.js";
import type { TaskHooks } from "../task-hooks.js";

let backend: Backend;
let hooks: TaskHooks<TestTasks>;
beforeEach(async () => {
  backend = await loadBackend();
  hooks = (await import("../index.js")).createTaskHooks(backend.tasks);
});
afterEach(() => {
  cleanup();
  backend.unload();
});

const pass = (ms?: number) => act(() => backend.advance(ms));

describe("an effect that starts", () => {
  it("has one task in StrictMode, which the abort of the first start leaves alone", async () => {
    const seen: unknown[] = [];
    const Index = () => {
      const { start, state } = hooks.useStartTask("tick", { key: "index", onConflict: "join" });
      useEffect(() => {
        const share = new AbortController();
        start(null, { signal: share.signal }).catch(() => {});
        return () => share.abort();
      }, [start]);
      seen.push(state);
      return null;
    };
    const { unmount } = render(createElement(Index), { wrapper: StrictMode });
    await pass(2 * GRACE_MS);
    const { tasks } = await backend.tasks.list();
    expect(tasks.map(({ cancelReason }) => cancelReason)).toEqual([null]);
    expect(new Set(seen)).toEqual(new Set(["idle", "starting", "queued"]));
    unmount();
    await pass(2 * GRACE_MS);
    expect(await backend.reasonOf(tasks[0]?.id ?? "")).toBe("signal");
  });
});

describe("a start of another kind", () => {
  it("begins as idle in the same render, and leaves the old task alone", async () => {
    const seen: (string | undefined)[] = [];
    let start = (): Promise<{ id: string }> => Promise.reject();
    const Starter = ({ kind }: { kind: "tick" | "tail" }) => {
      const started = hooks.useStartTask(kind);
      start = () => started.start();
      seen.push(started.snapshot?.task);
      return null;
    };
    const { rerender } = render(createElement(Starter, { kind: "tick" }));
    let id = "";
    await act(async () => {
      ({ id } = await start());
    });
    await pass();
    expect(seen.at(-1)).toBe("tick");
    const before = seen.length;
    rerender(createElement(Starter, { kind: "tail" }));
    await pass(2 * GRACE_MS);
    expect(new Set(seen.slice(before))).toEqual(new Set([undefined]));
    expect([backend.kept().followed, await backend.reasonOf(id)]).toEqual([0, null]);
  });
});

describe("a render that comes to nothing", () => {
  it("opens nothing while a sibling suspends", async () => {
    const id = backend.begin("tick");
    const Task = () => String(hooks.useTask("tick", id).state);
    const never = new Promise(() => {});
    const Suspends: FC = () => {
      throw never;
    };
    render(
      createElement(Suspense, { fallback: "…" }, createElement(Task), createElement(Suspends)),
    );
    await pass(2 * GRACE_MS);
    expect(backend.calls("watch")).toBe(0);
  });
});

describe("a page that a server has rendered", () => {
  it("is hydrated without a mismatch, though others show the task already", async () => {
    const id = backend.begin("tick");
    const Task = () => hooks.useTask("tick", id).state;
    const container = document.createElement("div");
    container.innerHTML = renderToString(createElement(Task));
    expect(container.textContent).toBe("loading");
    render(createElement(Task));
    await pass();
    const onRecoverableError = vi.fn();
    const root = await act(async () =>
      hydrateRoot(container, createElement(Task), { onRecoverableError }),
    );
    await pass();
    expect(container.textContent).toBe("ready");
    expect(onRecoverableError).not.toHaveBeenCalled();
    await act(async () => root.unmount());
  });
});

it("types what it returns by the client's kinds", () => {
  const Typed = () => {
    const task = hooks.useTask("download", null);
    expectTypeOf(task.snapshot).toEqualTypeOf<TaskSnapshotOf<TestTasks["download"]> | undefined>();
    if (task.state === "ready") expectTypeOf(task.task.result).toEqualTypeOf<Promise<string>>();
    expectTypeOf(hooks.useStartTask("tick").output).toEqualTypeOf<number | undefined>();
    expectTypeOf(hooks.useStartTask("download").start)
      .parameter(0)
      .toEqualTypeOf<{ url: string }>();
    const list = hooks.useTasks({ task: "download" });
    expectTypeOf(list.tasks).toEqualTypeOf<
      readonly TaskSnapshotOf<TestTasks["download"], "download">[]
    >();
    const count = hooks.useTasks({ task: "tail" }, { select: ({ tasks }) => tasks.length });
    expectTypeOf(count).toEqualTypeOf<number>();
    const tail = hooks.useStartTask("tail");
    expectTypeOf(hooks.useTaskItems(tail.task).items).toEqualTypeOf<readonly (string | number)[]>();
    const detail = hooks.useTaskProgress(hooks.useStartTask("download").task)?.detail;
    expectTypeOf(detail).toEqualTypeOf<{ file: string } | null | undefined>();
    const batch = hooks.useBatch("download");
    expectTypeOf(batch.output).toEqualTypeOf<PromiseSettledResult<string>[] | undefined>();
    // @ts-expect-error There is no such kind.
    hooks.useTask("upload", null);
    const { start } = hooks.useStartTask("download");
    // @ts-expect-error This kind has an input.
    expectTypeOf(start).toBeCallableWith();
    // @ts-expect-error There is no such kind.
    hooks.useTasks({ task: "upload" });
    return null;
  };
  expect(renderToString(createElement(Typed))).toBe("");
});
