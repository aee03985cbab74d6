import { expect, it, vi } from "vitest";
import { onAbort } from "../callbacks/abort.js";

it("calls back once with the reason", () => {
  const controller = new AbortController();
  const callback = vi.fn();
  onAbort(controller.signal, callback);
  controller.abort("why");
  controller.abort("again");
  expect(callback.mock.calls).toEqual([["why"]]);
});

it("doesn't call back once its listener is removed", () => {
  const controller = new AbortController();
  const callback = vi.fn();
  onAbort(controller.signal, callback)();
  controller.abort("why");
  expect(callback).not.toHaveBeenCalled();
});
