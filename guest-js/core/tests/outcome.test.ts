import { clearMocks, mockIPC } from "@tauri-apps/api/mocks";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { OutcomeExpiredError, TaskError } from "../errors/task-error.js";
import { fetchOutcome } from "../task/outcome.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  clearMocks();
  vi.useRealTimers();
});

const outcome = { status: "completed", data: { output: 1 } } as const;

describe("fetching an outcome", () => {
  it("asks again as long as the answer is null", async () => {
    let asked = 0;
    mockIPC(async (command, args) => {
      expect([command, args]).toEqual(["plugin:tasks|outcome", { id: "a" }]);
      asked += 1;
      await new Promise((resolve) => setTimeout(resolve, 25_000));
      return asked < 3 ? null : outcome;
    });
    const fetched = fetchOutcome("a");
    await vi.advanceTimersByTimeAsync(50_000);
    expect(asked).toBe(3);
    await vi.advanceTimersByTimeAsync(25_000);
    expect(await fetched).toEqual(outcome);
  });

  it("waits before it asks again when the plugin answers null at once", async () => {
    let asked = 0;
    mockIPC(() => {
      asked += 1;
      return asked < 4 ? null : outcome;
    });
    const fetched = fetchOutcome("a");
    await vi.advanceTimersByTimeAsync(999);
    expect(asked).toBe(1);
    await vi.advanceTimersByTimeAsync(2_001);
    expect(await fetched).toEqual(outcome);
  });

  it("rejects with OutcomeExpiredError when the plugin has forgotten the task", async () => {
    mockIPC(() => {
      throw { kind: "notFound", message: "no", data: null };
    });
    await expect(fetchOutcome("a")).rejects.toBeInstanceOf(OutcomeExpiredError);
  });

  it("passes other errors on", async () => {
    mockIPC(() => {
      throw "the webview is gone";
    });
    const error = await fetchOutcome("a").catch((e: unknown) => e);
    expect(error).toBeInstanceOf(TaskError);
    expect(error).toMatchObject({ kind: "ipc" });
  });
});
