import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { StartOptions } from "../index.js";
import { type LoadedPage, loadPage, settle, stateOf } from "./load-page.js";

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

  describe("after which the plugin tells the page no more", () => {
    /** Joins a task of another page and attaches to it. Returns both, and a function that gives the share of the first back. */
    async function joinAndAttach(isHidden: boolean) {
      const id = live();
      if (isHidden) page.plugin.hide(id);
      const first = await mount();
      const other = await page.tasks.attach("tick", id);
      return { id, first, other };
    }

    /** Starts a task that joins, and gives up before the answer. Returns a function that lets the answer come. */
    async function giveUp(): Promise<() => void> {
      const answer = page.plugin.hold("start");
      const controller = new AbortController();
      const started = page.tasks.start("tick", null, { ...join, signal: controller.signal });
      await settle();
      controller.abort("gone");
      await expect(started).rejects.toBe("gone");
      return answer;
    }

    /** What happens between the abort of the handle that has a share and the answer to `leave`, if anything. */
    const endings = {
      "while its handle is held": () => {},
      "and its handle is let go of": (task: { detach(): void }) => task.detach(),
    };

    for (const [when, then] of Object.entries(endings)) {
      it(`ends the other handles if the page may not see the task, ${when}`, async () => {
        const { first, other } = await joinAndAttach(true);
        first.unmount();
        then(first.task);
        await settle();
        expect(await stateOf(other.closed)).toEqual({ value: undefined });
        await expect(other.result).rejects.toBeInstanceOf(page.api.OutcomeExpiredError);
        expect(page.kept()).toBe(0);
      });

      it(`tells the other handles on if the page may see the task, ${when}`, async () => {
        const { plugin } = page;
        const { id, first, other } = await joinAndAttach(false);
        first.unmount();
        then(first.task);
        await settle();
        plugin.complete(id, 8);
        await plugin.frame();
        expect(await stateOf(other.result)).toEqual({ value: 8 });
        expect(page.kept()).toBe(0);
      });
    }

    for (const isHidden of [true, false]) {
      const name = isHidden ? "ends" : "tells on";
      const check = async (id: string, closed: Promise<void>) => {
        await settle();
        if (!isHidden) {
          expect(await stateOf(closed)).toEqual(pending);
          page.plugin.complete(id, 1);
          await page.plugin.frame();
        }
        expect(await stateOf(closed)).toEqual({ value: undefined });
        expect(page.kept()).toBe(0);
      };

      it(`${name} the other handles if \`leave\` is carried out long after it was sent`, async () => {
        const { plugin } = page;
        const { id, first, other } = await joinAndAttach(isHidden);
        const leave = plugin.stall("leave");
        first.unmount();
        await vi.advanceTimersByTimeAsync(40_000);
        expect(await stateOf(other.closed)).toEqual(pending);
        leave();
        await check(id, other.closed);
      });

      it(`${name} the other handles if the start was answered after it was given up`, async () => {
        const { plugin, tasks } = page;
        const { id, first, other } = await joinAndAttach(isHidden);
        const answer = plugin.hold("start");
        const late = tasks.start("tick", null, join).catch((error: unknown) => error);
        await vi.advanceTimersByTimeAsync(40_000);
        expect(await late).toMatchObject({ kind: "ipc" });
        first.unmount();
        first.task.detach();
        await settle();
        const leave = plugin.stall("leave");
        answer();
        await settle();
        expect(await stateOf(other.closed)).toEqual(pending);
        leave();
        await check(id, other.closed);
      });

      it(`${name} the other handles if the start was aborted and its answer was lost`, async () => {
        const { plugin } = page;
        const { id, first, other } = await joinAndAttach(isHidden);
        plugin.loseAnswer("start");
        const answer = await giveUp();
        first.unmount();
        first.task.detach();
        await settle();
        expect(await stateOf(other.closed)).toEqual(pending);
        answer();
        await check(id, other.closed);
      });
    }

    for (const isHidden of [true, false]) {
      const name = isHidden ? "ends" : "tells on";
      it(`${name} the handles of another session of the page`, async () => {
        const { plugin } = page;
        const { id, first, other } = await joinAndAttach(isHidden);
        const copy = await page.loadApart();
        const apart = await copy.tasks.attach("tick", id);
        expect(plugin.sessions.size).toBe(2);
        first.unmount();
        first.task.detach();
        other.detach();
        await settle();
        await plugin.frame();
        if (!isHidden) {
          expect(await stateOf(apart.closed)).toEqual(pending);
          plugin.complete(id, 1);
          await plugin.frame();
        }
        expect(await stateOf(apart.closed)).toEqual({ value: undefined });
        expect([page.kept(), copy.kept()]).toEqual([0, 0]);
      });
    }

    it("goes on if the page gets another share before it learns of that", async () => {
      const { plugin } = page;
      const { id, first, other } = await joinAndAttach(true);
      const copy = await page.loadApart();
      const apart = await copy.tasks.attach("tick", id);
      first.unmount();
      const again = page.tasks.start("tick", null, join);
      await settle();
      await plugin.frame();
      plugin.status(id, "running");
      await plugin.frame();
      expect([(await again).status, other.status, apart.status]).toEqual(Array(3).fill("running"));
    });

    it("asks again only for tasks that the lost call may have joined", async () => {
      const { plugin, tasks } = page;
      await tasks.start("tick");
      await tasks.start("download", { url: "/" }, { key: "k" });
      const id = live();
      await tasks.attach("tick", id);
      plugin.loseAnswer("start");
      const answer = await giveUp();
      const before = plugin.calls("watch").length;
      answer();
      await settle();
      const targets = plugin.calls("watch").map((args) => args["target"]);
      expect(targets.slice(before)).toEqual([{ type: "task", data: { id } }]);
    });
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

describe("a page that has only a share in a task", () => {
  /** Joins a task of another page that this page may not see. */
  async function joinHidden() {
    const id = live();
    page.plugin.hide(id);
    return { id, ...(await mount()) };
  }

  it("is told of it", async () => {
    const { plugin, tasks } = page;
    const { id, task } = await joinHidden();
    const listed: string[][] = [];
    await tasks.watch({}, (all) => listed.push(all.map((one) => one.id)));
    expect((await tasks.get(id)).id).toBe(id);
    expect(await tasks.list()).toMatchObject({ tasks: [{ id }] });
    const attached = await tasks.attach("tick", id);
    plugin.complete(id, 6);
    await plugin.frame();
    expect([await task.result, await attached.result]).toEqual([6, 6]);
    expect(listed.at(-1)).toEqual([id]);
  });

  it("may do nothing with it", async () => {
    const { tasks } = page;
    const { id, task } = await joinHidden();
    const calls = {
      cancel: () => task.cancel(),
      pause: () => task.pause(),
      resume: () => task.resume(),
      setPriority: () => task.setPriority(1),
      remove: () => task.remove(),
      rerun: () => task.rerun(),
      items: () => task.items()[Symbol.asyncIterator]().next(),
    };
    for (const [name, call] of Object.entries(calls)) {
      const error = await call().catch((thrown: unknown) => thrown);
      expect(error, name).toBeInstanceOf(page.api.TaskNotFoundError);
    }
    expect(await tasks.cancelAll({ task: "tick" })).toBe(0);
    expect(statusOf(id)).toBe("queued");
  });

  it("is told no more once it has given the share back, in lists too", async () => {
    const { plugin, tasks } = page;
    const { id, unmount } = await joinHidden();
    const listed: string[][] = [];
    await tasks.watch({}, (all) => listed.push(all.map((one) => one.id)));
    unmount();
    await settle();
    await plugin.frame();
    expect(listed.at(-1)).toEqual([]);
    expect(await tasks.list()).toMatchObject({ tasks: [] });
    await expect(tasks.get(id)).rejects.toMatchObject({ kind: "notFound" });
    await expect(tasks.attach("tick", id)).rejects.toMatchObject({ kind: "notFound" });
  });
});

describe("a task that the plugin tells this page no more of, since a call outside this client has left it", () => {
  /** A handle of the task, and the plugin's word that the page follows it no longer. */
  async function lose(isHidden: boolean) {
    const { plugin, tasks } = page;
    const id = live();
    const task = await tasks.attach("tick", id);
    await plugin.frame();
    if (isHidden) plugin.hide(id);
    plugin.loseFollows(id);
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
