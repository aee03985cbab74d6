import { afterEach, describe, expect, it, vi } from "vitest";
import { createListeners, report } from "../callbacks/listeners.js";

afterEach(() => vi.unstubAllGlobals());

describe("listeners", () => {
  it("don't call those that are added during the call", () => {
    const listeners = createListeners<[number]>();
    const late = vi.fn();
    listeners.add(() => {
      listeners.add(late);
    });
    listeners.emit(1);
    expect(late).not.toHaveBeenCalled();
  });

  it("don't call those that are cleared during the call", () => {
    const listeners = createListeners<[]>();
    const second = vi.fn();
    listeners.add(() => listeners.clear());
    listeners.add(second);
    listeners.emit();
    expect(second).not.toHaveBeenCalled();
  });
});

describe("report", () => {
  it("throws in a microtask if the page has no reportError", () => {
    const tasks: (() => void)[] = [];
    vi.stubGlobal("reportError", undefined);
    vi.stubGlobal("queueMicrotask", (task: () => void) => tasks.push(task));
    const error = new Error("mine");
    report(error);
    expect(tasks).toHaveLength(1);
    expect(tasks[0]).toThrow(error);
  });
});
