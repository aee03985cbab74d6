import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type LoadedPage, loadPage, settle, stateOf } from "./load-page.js";

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
  page.plugin.addSchedule("sync", "tick");
});
afterEach(() => page.unload());

describe("schedules", () => {
  it("are listed by name, as they are now", async () => {
    const { plugin, tasks } = page;
    plugin.addSchedule("nightly", "download", { every: null, cron: "0 3 * * *", failures: 2 });
    const [nightly, sync] = await tasks.schedules();
    expect(nightly).toMatchObject({ name: "nightly", task: "download", cron: "0 3 * * *" });
    expect(sync).toEqual({
      name: "sync",
      task: "tick",
      every: 60_000,
      cron: null,
      paused: false,
      nextRunAt: Date.now() + 60_000,
      lastRun: null,
      running: 0,
      failures: 0,
      skipped: 0,
    });
    expect(plugin.calls("schedules")).toEqual([{}]);
  });

  it("are paused and resumed by name", async () => {
    const { plugin, tasks } = page;
    expect(await tasks.pauseSchedule("sync")).toBeUndefined();
    expect(await tasks.schedules()).toMatchObject([{ paused: true, nextRunAt: null }]);
    expect(await tasks.resumeSchedule("sync")).toBeUndefined();
    expect(await tasks.schedules()).toMatchObject([{ paused: false }]);
    expect(plugin.calls("pause_schedule")).toEqual([{ name: "sync" }]);
    expect(plugin.calls("resume_schedule")).toEqual([{ name: "sync" }]);
  });
});

describe("trigger", () => {
  it("runs a task of the app, which can be attached to", async () => {
    const { plugin, tasks } = page;
    const run = await tasks.trigger("sync");
    expect(run).toMatchObject({ task: "tick", owner: null, tags: ["schedule:sync"] });
    expect(plugin.calls("trigger")).toEqual([{ name: "sync", id: run.id }]);
    const task = await tasks.attach("tick", run.id);
    plugin.complete(run.id, 7);
    await plugin.frame();
    expect(await task.result).toBe(7);
    expect(await tasks.schedules()).toMatchObject([
      { lastRun: { id: run.id, status: "completed" } },
    ]);
  });

  /** Triggers a schedule whose answer is held for longer than the page waits. */
  async function triggerLate(): Promise<() => void> {
    const answer = page.plugin.hold("trigger");
    const rejected = expect(page.tasks.trigger("sync")).rejects.toMatchObject({ kind: "ipc" });
    await vi.advanceTimersByTimeAsync(30_000);
    await rejected;
    return answer;
  }

  it("that is answered too late gives its share in the run back, and the run goes on", async () => {
    const { plugin } = page;
    const answer = await triggerLate();
    expect(plugin.calls("leave")).toEqual([]);
    answer();
    await settle();
    const [{ id } = {}] = plugin.calls("trigger");
    expect(plugin.calls("leave")).toEqual([{ id }]);
    expect(plugin.tasks.get(String(id))?.snapshot.status).toBe("queued");
    // Nothing is kept of it.
    await page.tasks.trigger("sync");
    expect(plugin.calls("trigger")[1]?.["id"]).not.toBe(id);
  });

  it("that is answered too late gives its share back in a run that it has only joined, too", async () => {
    const { plugin, tasks } = page;
    await tasks.trigger("sync");
    const answer = await triggerLate();
    answer();
    await settle();
    expect(plugin.calls("leave")).toEqual([{ id: plugin.calls("trigger").at(-1)?.["id"] }]);
  });

  for (const isHidden of [true, false]) {
    const name = isHidden ? "ends" : "tells on";
    it(`that gives its share back late ${name} the handles of the run`, async () => {
      const { plugin, tasks } = page;
      const answer = await triggerLate();
      const id = String(plugin.calls("trigger")[0]?.["id"]);
      if (isHidden) plugin.hide(id);
      const task = await tasks.attach("tick", id);
      answer();
      await settle();
      expect(plugin.calls("leave")).toEqual([{ id }]);
      if (!isHidden) {
        plugin.complete(id, 1);
        await plugin.frame();
      }
      expect(await stateOf(task.closed)).toEqual({ value: undefined });
      expect(page.kept()).toBe(0);
    });
  }

  it("gives the page a share in the run: it may be told of it", async () => {
    const { plugin, tasks } = page;
    const { id } = await tasks.trigger("sync");
    plugin.hide(id);
    const task = await tasks.attach("tick", id);
    await expect(task.cancel()).rejects.toMatchObject({ kind: "notFound" });
    plugin.complete(id, 2);
    await plugin.frame();
    expect(await task.result).toBe(2);
  });

  it("gives its share back even if two calls are answered too late, and not long after", async () => {
    const { plugin, tasks } = page;
    const answers = [plugin.hold("trigger"), plugin.hold("trigger")];
    const both = Promise.allSettled([tasks.trigger("sync"), tasks.trigger("sync")]);
    await vi.advanceTimersByTimeAsync(30_000);
    await both;
    for (const answer of answers) answer();
    await settle();
    const ids = plugin.calls("trigger").map(({ id }) => ({ id }));
    expect(plugin.calls("leave")).toEqual(ids);
    const answer = await triggerLate();
    await vi.advanceTimersByTimeAsync(300_000);
    await tasks.trigger("sync");
    answer();
    await settle();
    expect(new Set(plugin.calls("trigger").map((call) => call["id"])).size).toBe(4);
    expect(plugin.calls("leave")).toEqual(ids);
  });

  it("that is repeated after it was not answered makes one run, which goes on", async () => {
    const { plugin, tasks } = page;
    const answers = [await triggerLate(), await triggerLate()];
    const run = await tasks.trigger("sync");
    for (const answer of answers) answer();
    await settle();
    expect(plugin.calls("trigger").map(({ id }) => id)).toEqual([run.id, run.id, run.id]);
    expect(plugin.calls("leave")).toEqual([]);
    expect(plugin.tasks.size).toBe(1);
  });

  it("joins a current run, and starts another run after its end", async () => {
    const { plugin, tasks } = page;
    const first = await tasks.trigger("sync");
    expect((await tasks.trigger("sync")).id).toBe(first.id);
    plugin.complete(first.id, 1);
    const next = await tasks.trigger("sync");
    expect(next.id).not.toBe(first.id);
    const ids = plugin.calls("trigger").map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
  });

  it("needs no session", async () => {
    const { plugin, tasks } = page;
    await tasks.trigger("sync");
    await tasks.schedules();
    await tasks.pauseSchedule("sync");
    expect(plugin.calls("open")).toEqual([]);
    expect(page.kept()).toBe(0);
  });
});

describe("rejections of calls about schedules", () => {
  it("are TaskErrors", async () => {
    const { plugin, tasks, api } = page;
    const calls = {
      schedules: () => tasks.schedules(),
      trigger: () => tasks.trigger("sync"),
      pause_schedule: () => tasks.pauseSchedule("sync"),
      resume_schedule: () => tasks.resumeSchedule("sync"),
    };
    for (const [name, call] of Object.entries(calls)) {
      plugin.refuse(name, { kind: "internal", message: "no", data: null });
      const error = await call().catch((e: unknown) => e);
      expect(error).toBeInstanceOf(api.TaskError);
      expect(error).toMatchObject({ kind: "internal" });
    }
  });

  it("say that there is no such schedule", async () => {
    const { tasks } = page;
    await expect(tasks.trigger("nope")).rejects.toMatchObject({ kind: "unknownSchedule" });
    await expect(tasks.pauseSchedule("nope")).rejects.toMatchObject({ kind: "unknownSchedule" });
    await expect(tasks.resumeSchedule("nope")).rejects.toMatchObject({ kind: "unknownSchedule" });
  });

  it("say which permission to add", async () => {
    const { plugin, tasks, api } = page;
    const calls = [
      ["schedules", () => tasks.schedules(), '"tasks:observe-all"'],
      ["pause_schedule", () => tasks.pauseSchedule("sync"), '"tasks:control-all"'],
      ["resume_schedule", () => tasks.resumeSchedule("sync"), '"tasks:control-all"'],
      [
        "trigger",
        () => tasks.trigger("sync"),
        '{ "identifier": "tasks:allow-trigger", "allow": [{ "task": "…" }] }, with the name of the task',
      ],
    ] as const;
    const wordings = [
      (name: string) => `Command plugin:tasks|${name} not allowed by ACL`,
      (name: string) => `tasks.${name} not allowed. Permissions associated with this command: …`,
    ];
    for (const [name, call, hint] of calls) {
      for (const wording of wordings) {
        plugin.refuse(name, wording(name));
        const error = await call().catch((e: unknown) => e);
        expect(error).toBeInstanceOf(api.TaskPermissionError);
        expect((error as Error).message).toContain(`Add ${hint}`);
      }
    }
  });
});
