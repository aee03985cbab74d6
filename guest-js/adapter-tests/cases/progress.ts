/** What a component that shows progress must do. */
import { expect, it } from "vitest";
import { attached, backend, expectFewRenders, mount, pass } from "../page.js";

export function describeProgress(): void {
  it("shows the newest progress of a task, at most 60 times a second", async () => {
    const id = backend.begin("tick");
    const task = await attached("tick", id);
    const shown = await mount({ use: "progress", task });
    expect(shown.state().completed).toBe(0);
    await expectFewRenders(shown, (count) => backend.report(id, count));
    expect(shown.state().completed).toBe(1_000);
  });

  it("has what the handle knows with the first render", async () => {
    const id = backend.begin("tick");
    backend.report(id, 4);
    const shown = await mount({ use: "progress", task: await attached("tick", id) });
    expect(new Set(shown.seen().map(({ completed }) => completed))).toEqual(new Set([4]));
  });

  it("is undefined without a task, and never that of the old one", async () => {
    const [old, other] = [backend.begin("tick"), backend.begin("tick")];
    backend.report(old, 5);
    backend.report(other, 6);
    const shown = await mount({ use: "progress", task: await attached("tick", old) });
    const before = shown.renders();
    await shown.rerender({ use: "progress", task: await attached("tick", other) });
    await pass();
    expect(
      new Set(
        shown
          .seen()
          .slice(before)
          .map(({ completed }) => completed),
      ),
    ).toEqual(new Set([6]));
    await shown.rerender({ use: "progress", task: null });
    expect(shown.state()).toBeUndefined();
  });

  it("goes on when the handle is let go of", async () => {
    const id = backend.begin("tick");
    const task = await attached("tick", id);
    const shown = await mount({ use: "progress", task });
    task.detach();
    backend.report(id, 2);
    await pass();
    expect(shown.state().completed).toBe(2);
  });
}
