/** What a component that starts a task or a batch must do. */
import { expect, it } from "vitest";
import { GRACE_MS } from "../backend.js";
import { act, backend, harness, keptAtRest, mount, pass, started } from "../page.js";

export function describeStart(): void {
  it("starts nothing unasked, and once for each call", async () => {
    const shown = await harness.mountTwice({ use: "start", name: "tick" });
    await pass();
    await shown.rerender({ use: "start", name: "tick", defaults: { label: "Tick" } });
    await pass(2 * GRACE_MS);
    expect([shown.state().state, backend.calls("start")]).toEqual(["idle", 0]);
    await act(() => shown.controls().start());
    await pass(2 * GRACE_MS);
    expect(backend.calls("start")).toBe(1);
  });

  it("shows each state of the task, and its output with the end", async () => {
    const shown = await mount({ use: "start", name: "tick" });
    const answer = backend.hold("start");
    await act(async () => void shown.controls().start());
    answer();
    await pass();
    const id = shown.state().task.id;
    backend.run(id);
    await pass();
    backend.complete(id, 7);
    await pass();
    const states = shown.seen().map(({ state }) => state);
    expect([...new Set(states)]).toEqual(["idle", "starting", "queued", "running", "completed"]);
    expect(shown.state()).toMatchObject({ output: 7, snapshot: { id }, task: { id } });
  });

  it("shows an end that comes before the answer to the start", async () => {
    const shown = await mount({ use: "start", name: "tick" });
    const answer = backend.hold("start");
    await act(async () => void shown.controls().start());
    await pass();
    backend.complete(backend.startedLast(), 3);
    await pass();
    answer();
    await pass();
    expect(shown.state()).toMatchObject({ state: "completed", output: 3 });
  });

  it("keeps its functions, and starts with the newest defaults", async () => {
    const shown = await mount({ use: "start", name: "tick", defaults: { label: "old" } });
    const { start, cancel, reset } = shown.controls();
    await shown.rerender({ use: "start", name: "tick", defaults: { label: "new" } });
    await started(shown);
    expect(shown.controls()).toMatchObject({ start, cancel, reset });
    expect(shown.state().snapshot?.label).toBe("new");
  });

  it("shows why a start was refused, and cancels nothing then", async () => {
    const shown = await mount({ use: "start", name: "tick" });
    backend.refuseStart();
    await act(() =>
      shown
        .controls()
        .start()
        .catch(() => {}),
    );
    await pass();
    expect(shown.state()).toMatchObject({ state: "refused", error: { kind: "notAllowed" } });
    await act(() => shown.controls().cancel());
    await act(async () => shown.controls().reset());
    expect(shown.state().state).toBe("idle");
  });

  it("cancels its task when told so", async () => {
    const shown = await mount({ use: "start", name: "tick" });
    const { id } = await started(shown);
    await act(() => shown.controls().cancel("enough"));
    await pass();
    expect(await backend.reasonOf(id)).toBe("enough");
  });

  it("leaves its task alone when it is unmounted, and follows it no longer", async () => {
    const before = await keptAtRest();
    const shown = await mount({ use: "start", name: "tick" });
    const { id } = await started(shown);
    expect(backend.kept().followed).toBe(1);
    shown.unmount();
    await pass(2 * GRACE_MS);
    expect(await backend.reasonOf(id)).toBeNull();
    expect([backend.calls("cancel"), backend.calls("leave")]).toEqual([0, 0]);
    expect(backend.kept()).toEqual(before);
  });

  it("gives its task up when it is unmounted, if asked", async () => {
    const defaults = { cancelOnUnmount: true };
    const shown = await harness.mountTwice({ use: "start", name: "tick", defaults });
    const { id } = await started(shown);
    await pass(2 * GRACE_MS);
    expect(await backend.reasonOf(id)).toBeNull();
    shown.unmount();
    await pass(2 * GRACE_MS);
    expect(await backend.reasonOf(id)).toBe("signal");
  });

  it("gives its task up when it is unmounted before the answer, if asked", async () => {
    const before = await keptAtRest();
    const defaults = { cancelOnUnmount: true };
    const shown = await mount({ use: "start", name: "tick", defaults });
    const answer = backend.hold("start");
    let rejection: unknown;
    await act(async () => {
      shown
        .controls()
        .start()
        .catch((error) => {
          rejection = error;
        });
    });
    shown.unmount();
    await pass(2 * GRACE_MS);
    expect(rejection).toMatchObject({ name: "AbortError" });
    answer();
    await pass(2 * GRACE_MS);
    expect(await cancelReasons()).toEqual(["signal"]);
    expect(backend.kept()).toEqual(before);
  });

  it("is cancelled when its start is given up before the answer", async () => {
    const shown = await mount({ use: "start", name: "tick" });
    const answer = backend.hold("start");
    const giver = new AbortController();
    await act(async () => void shown.controls().start(null, { signal: giver.signal }));
    await pass();
    await act(async () => giver.abort());
    await pass();
    const cancelled = { state: "cancelled", error: { kind: "cancelled", reason: "signal" } };
    expect(shown.state()).toMatchObject(cancelled);
    answer();
    await pass(2 * GRACE_MS);
    expect(shown.state()).toMatchObject(cancelled);
    expect(await cancelReasons()).toEqual(["signal"]);
    expect(shown.seen().map(({ state }) => state)).not.toContain("refused");
  });

  it("shows the output of a task that completes though it was given up", async () => {
    const shown = await mount({ use: "start", name: "tick" });
    const giver = new AbortController();
    await act(() => shown.controls().start(null, { signal: giver.signal }));
    await act(async () => {
      backend.complete(shown.state().task.id, 7);
      giver.abort();
    });
    await pass(2 * GRACE_MS);
    expect(shown.state()).toMatchObject({ state: "completed", output: 7 });
    expect(shown.state().error).toBeUndefined();
  });

  it("follows nothing if it is unmounted before the start is answered", async () => {
    const before = await keptAtRest();
    const shown = await mount({ use: "start", name: "tick" });
    const answer = backend.hold("start");
    await act(async () => void shown.controls().start());
    shown.unmount();
    await pass(2 * GRACE_MS);
    answer();
    await pass(2 * GRACE_MS);
    expect(backend.kept()).toEqual(before);
  });

  it("follows nothing after a reset", async () => {
    const before = await keptAtRest();
    const shown = await mount({ use: "start", name: "tick" });
    const answer = backend.hold("start");
    await act(async () => void shown.controls().start());
    await act(async () => shown.controls().reset());
    answer();
    await pass(2 * GRACE_MS);
    expect(shown.state().state).toBe("idle");
    expect(backend.kept()).toEqual(before);
  });
}

/** Returns why each task was cancelled, oldest first. */
async function cancelReasons(): Promise<readonly (string | null)[]> {
  return (await backend.tasks.list()).tasks.map(({ cancelReason }) => cancelReason);
}

export function describeBatch(): void {
  it("starts many at once, and shows what comes of them", async () => {
    const shown = await mount({ use: "batch", name: "tick", defaults: { label: "All" } });
    await act(() => shown.controls().start([null, null]));
    await pass();
    expect(shown.state()).toMatchObject({ state: "running", snapshot: { label: "All" } });
    const members = (await backend.tasks.list({ parent: shown.state().task.id })).tasks;
    members.forEach(({ id }, index) => {
      backend.complete(id, index);
    });
    await pass();
    await pass();
    expect(shown.state()).toMatchObject({
      state: "completed",
      output: [{ value: 0 }, { value: 1 }],
    });
  });
}
