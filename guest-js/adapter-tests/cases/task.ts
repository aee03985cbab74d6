/** What a component that shows one task must do. */
import { expect, it } from "vitest";
import { GRACE_MS } from "../backend.js";
import type { Mounted } from "../harness.js";
import { backend, expectFewRenders, mount, pass } from "../page.js";

export function describeTask(): void {
  it("shows the current state to a component that comes late", async () => {
    const id = backend.begin("tick");
    const first = await mount({ use: "task", name: "tick", id });
    backend.report(id, 3);
    await pass();
    const late = await mount({ use: "task", name: "tick", id });
    expect(late.seen()[0]).toBe(first.state());
    expect(late.state().snapshot?.progress.completed).toBe(3);
  });

  it("never shows the old task after its id has changed", async () => {
    const [old, other] = [backend.begin("tick"), backend.begin("tick")];
    const shown = await mount({ use: "task", name: "tick", id: old });
    const before = shown.renders();
    const answer = backend.hold("watch");
    await shown.rerender({ use: "task", name: "tick", id: other });
    expect(shown.state()).toEqual({ state: "loading" });
    backend.report(old, 1);
    await pass();
    answer();
    await pass();
    expect(idsSince(shown, before)).toEqual([other]);
    expect(shown.state().task.id).toBe(other);
  });

  it("never shows a task whose attach is answered after the id has changed", async () => {
    const [old, other] = [backend.begin("tick"), backend.begin("tick")];
    const answer = backend.hold("watch");
    const shown = await mount({ use: "task", name: "tick", id: old });
    await shown.rerender({ use: "task", name: "tick", id: other });
    answer();
    await pass(2 * GRACE_MS);
    expect(idsSince(shown, 0)).toEqual([other]);
    expect(backend.kept().followed).toBe(1);
  });

  it("is idle without an id", async () => {
    const id = backend.begin("tick");
    const shown = await mount({ use: "task", name: "tick", id });
    await shown.rerender({ use: "task", name: "tick", id: null });
    expect(shown.state()).toEqual({ state: "idle" });
    await shown.rerender({ use: "task", name: "tick", id: undefined });
    expect(shown.state()).toEqual({ state: "idle" });
  });

  it("goes on in a new session", async () => {
    const id = backend.begin("tick");
    const shown = await mount({ use: "task", name: "tick", id });
    backend.disconnect();
    backend.run(id);
    await pass(60_000);
    backend.report(id, 7);
    await pass();
    expect(shown.state().snapshot).toMatchObject({ status: "running", progress: { completed: 7 } });
  });

  it("shows an end that comes while the connection is lost, or before the attach is answered", async () => {
    const [early, lost] = [backend.begin("tick"), backend.begin("tick")];
    const follower = await mount({ use: "task", name: "tick", id: lost });
    const answer = backend.hold("watch");
    const latecomer = await mount({ use: "task", name: "tick", id: early });
    backend.complete(early, 1);
    answer();
    backend.disconnect();
    backend.complete(lost, 2);
    await pass(60_000);
    for (const shown of [follower, latecomer]) {
      expect(shown.state().snapshot?.status).toBe("completed");
    }
  });

  it("shows why a task can't be followed, and another one after that", async () => {
    const [gone, id] = [backend.begin("tick"), backend.begin("tick")];
    backend.forget(gone);
    const shown = await mount({ use: "task", name: "tick", id: gone });
    expect(shown.state()).toMatchObject({ state: "error", error: { kind: "notFound" } });
    await shown.rerender({ use: "task", name: "tick", id });
    await pass();
    expect(shown.state().state).toBe("ready");
  });

  it("renders no more than 60 times a second", async () => {
    const id = backend.begin("tick");
    const shown = await mount({ use: "task", name: "tick", id });
    await expectFewRenders(shown, (count) => backend.report(id, count));
    expect(shown.state().snapshot?.progress.completed).toBe(1_000);
  });
}

/** Returns the ids that were shown since a render, each once. */
function idsSince(shown: Mounted, render: number): string[] {
  const since = shown.seen().slice(render);
  return [...new Set(since.flatMap(({ snapshot }) => snapshot?.id ?? []))];
}
