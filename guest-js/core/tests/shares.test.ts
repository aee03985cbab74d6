import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { StartOptions } from "../index.js";
import { type LoadedPage, loadPage, settle, stateOf } from "./fake-plugin.js";

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => page.unload());

const join = { key: "k", onConflict: "join" } as const satisfies StartOptions;
const pending = { pending: true };

/** Mounts a component that starts or joins the task, and gives up when it is taken off the page. */
async function mount() {
  const controller = new AbortController();
  const task = await page.tasks.start("tick", null, { ...join, signal: controller.signal });
  const result = task.result.catch((reason: unknown) => ({ reason }));
  return { task, result, unmount: () => controller.abort("unmounted") };
}

/** Starts a task that belongs to another page and has the key. */
function live(): string {
  return page.plugin.begin("tick", null, { key: "k" });
}

const starts = () => page.plugin.calls("start").map(({ id }) => id);
const left = () => page.plugin.calls("leave").map(({ id }) => id);
const statusOf = (id: string) => page.plugin.tasks.get(id)?.snapshot.status;

describe("two mounts of one component, as in React's StrictMode", () => {
  it("share the task: it goes on when the first is taken off, and is cancelled with the second", async () => {
    const { plugin, api } = page;
    const first = await mount();
    const second = await mount();
    expect(second.task.id).toBe(first.task.id);
    first.unmount();
    expect(await first.result).toEqual({ reason: "unmounted" });
    expect(left()).toEqual([starts()[0]]);
    await plugin.frame();
    expect([first.task.status, second.task.status]).toEqual(["queued", "queued"]);
    expect(await stateOf(first.task.closed)).toEqual(pending);
    second.unmount();
    expect(await second.result).toEqual({ reason: "unmounted" });
    expect(left()).toEqual(starts());
    await plugin.frame();
    expect(second.task.snapshot.cancelReason).toBe("signal");
    plugin.end(first.task.id, { status: "cancelled", data: { reason: "signal" } });
    await plugin.frame();
    for (const { task } of [first, second]) {
      expect(await stateOf(task.closed)).toEqual({ value: undefined });
      const outcome = await task.outcome;
      expect(outcome).toMatchObject({ status: "cancelled", error: { reason: "signal" } });
      expect(outcome).toHaveProperty("error", expect.any(api.TaskCancelledError));
    }
    expect(page.kept()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("share the task if the first is taken off before its start is answered", async () => {
    const { plugin, tasks } = page;
    const answer = plugin.hold("start");
    const controller = new AbortController();
    const started = tasks.start("tick", null, { ...join, signal: controller.signal });
    await settle();
    controller.abort("unmounted");
    expect(await stateOf(started)).toEqual({ reason: "unmounted" });
    const mounting = mount();
    await settle();
    answer();
    const second = await mounting;
    await settle();
    expect(left()).toEqual([starts()[0]]);
    plugin.complete(second.task.id, 5);
    await plugin.frame();
    expect(await second.result).toBe(5);
    expect(page.kept()).toBe(0);
  });

  it("cancel the task in the order in which they are taken off, whichever has started it", async () => {
    const { plugin } = page;
    const [first, second] = [await mount(), await mount()];
    second.unmount();
    await settle();
    expect(statusOf(first.task.id)).toBe("queued");
    first.unmount();
    await settle();
    expect(statusOf(first.task.id)).toBe("cancelling");
    expect(plugin.calls("cancel")).toEqual([]);
  });
});

describe("a signal that gives a share back", () => {
  it("leaves the task to others, and the handle follows it to its end if the page may see it", async () => {
    const { plugin } = page;
    const id = live();
    const { task, result, unmount } = await mount();
    unmount();
    expect(await result).toEqual({ reason: "unmounted" });
    await settle();
    expect(left()).toEqual(starts());
    expect(await stateOf(task.closed)).toEqual(pending);
    plugin.complete(id, 4);
    await plugin.frame();
    expect(await stateOf(task.closed)).toEqual({ value: undefined });
    expect(await task.outcome).toEqual({ status: "completed", output: 4 });
    expect(page.kept()).toBe(0);
  });

  it("ends what the page is told of a task that it may no longer see", async () => {
    const { plugin } = page;
    const id = live();
    plugin.hide(id);
    const { task, unmount } = await mount();
    const outcome = stateOf(task.outcome);
    unmount();
    await settle();
    expect(await outcome).toEqual({ reason: "unmounted" });
    expect(await stateOf(task.closed)).toEqual({ value: undefined });
    expect(statusOf(id)).toBe("queued");
    expect(page.kept()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("ends nothing that the page is told through another of its calls", async () => {
    const { plugin } = page;
    const id = live();
    plugin.hide(id);
    const [first, second] = [await mount(), await mount()];
    first.unmount();
    await settle();
    plugin.status(id, "running");
    await plugin.frame();
    expect([first.task.status, second.task.status]).toEqual(["running", "running"]);
    plugin.complete(id, 3);
    await plugin.frame();
    expect(await second.task.result).toBe(3);
    expect(await first.task.outcome).toEqual({ status: "completed", output: 3 });
  });

  it("releases a joined task if it is aborted before the answer", async () => {
    const { plugin, tasks } = page;
    const id = live();
    const answer = plugin.hold("start");
    const controller = new AbortController();
    const started = tasks.start("tick", null, { ...join, signal: controller.signal });
    await settle();
    controller.abort("too late");
    expect(await stateOf(started)).toEqual({ reason: "too late" });
    expect(left()).toEqual([]);
    answer();
    await settle();
    expect(left()).toEqual(starts());
    expect(plugin.calls("unwatch").map((args) => args["target"])).toEqual([
      { type: "task", data: { id } },
    ]);
    expect(plugin.session().tasks.size).toBe(0);
    expect(page.kept()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("leaves the other handles of the joined task alone", async () => {
    const { plugin, tasks } = page;
    const first = await tasks.start("tick", null, join);
    const answer = plugin.hold("start");
    const controller = new AbortController();
    const started = tasks.start("tick", null, { ...join, signal: controller.signal });
    await settle();
    controller.abort("too late");
    answer();
    await expect(started).rejects.toBe("too late");
    await settle();
    expect(plugin.calls("unwatch")).toEqual([]);
    expect(statusOf(first.id)).toBe("queued");
    plugin.complete(first.id, 1);
    await plugin.frame();
    expect(await first.result).toBe(1);
  });

  it("is sent even if the answer to the start was lost", async () => {
    const { plugin, tasks } = page;
    plugin.loseAnswer("start");
    const answer = plugin.hold("start");
    const controller = new AbortController();
    const started = tasks.start("tick", null, { signal: controller.signal });
    await settle();
    controller.abort("gone");
    answer();
    await expect(started).rejects.toBe("gone");
    await settle();
    expect(left()).toEqual(starts());
    expect([...plugin.tasks.keys()].map(statusOf)).toEqual(["cancelling"]);
  });

  it("has no effect once the handle was let go of: the call keeps its share", async () => {
    const { plugin } = page;
    const [first, second] = [await mount(), await mount()];
    first.task.detach();
    first.unmount();
    second.unmount();
    await settle();
    expect(left()).toEqual([starts()[1]]);
    expect(statusOf(first.task.id)).toBe("queued");
    plugin.complete(first.task.id, 1);
  });

  it("has nothing to do with attaching, which gets no share", async () => {
    const { plugin, tasks } = page;
    const { task, unmount } = await mount();
    const controller = new AbortController();
    await tasks.attach("tick", task.id, { signal: controller.signal });
    controller.abort();
    await settle();
    expect(left()).toEqual([]);
    await tasks.attach("tick", task.id);
    unmount();
    await settle();
    expect(statusOf(task.id)).toBe("cancelling");
    expect(plugin.calls("cancel")).toEqual([]);
  });
});

it("cancel stops the task for all, whoever has a share", async () => {
  const { plugin } = page;
  const [first, second] = [await mount(), await mount()];
  plugin.joinElsewhere(first.task.id);
  await second.task.cancel();
  await plugin.frame();
  expect([first.task.snapshot.cancelReason, left()]).toEqual(["user", []]);
});

it("the calls of a document that has left keep their shares", async () => {
  const { plugin } = page;
  const { task } = await mount();
  const tasks = await page.reload();
  const controller = new AbortController();
  const again = await tasks.start("tick", null, { ...join, signal: controller.signal });
  expect(again.id).toBe(task.id);
  controller.abort();
  await settle();
  expect(statusOf(task.id)).toBe("queued");
  await again.cancel();
  expect(statusOf(task.id)).toBe("cancelling");
  expect(plugin.calls("cancel")).toHaveLength(1);
});

describe("a task that the plugin tells this page no more of, since a call outside this client has left it", () => {
  /** A handle of the task, and the plugin's word that the page follows it no longer. */
  async function lose(isHidden: boolean) {
    const { plugin, tasks } = page;
    const id = live();
    const task = await tasks.attach("tick", id);
    await plugin.frame();
    if (isHidden) plugin.hide(id);
    plugin.unfollow(id);
    await plugin.frame();
    await settle();
    return { id, task };
  }

  it("settles as one that was removed", async () => {
    const { task } = await lose(true);
    expect(await stateOf(task.outcome)).toMatchObject({ reason: { kind: "outcomeExpired" } });
    expect(await stateOf(task.closed)).toEqual({ value: undefined });
    expect(page.kept()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is followed on if the page sees it in another way", async () => {
    const { plugin } = page;
    const { id, task } = await lose(false);
    expect(plugin.calls("watch")).toHaveLength(2);
    expect(await stateOf(task.closed)).toEqual(pending);
    plugin.complete(id, 4);
    await plugin.frame();
    expect(await task.result).toBe(4);
  });
});
