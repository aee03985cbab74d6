import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Outcome } from "../ipc/bindings.js";
import { type LoadedPage, loadPage, settle, stateOf } from "./load-page.js";

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => page.unload());

const inputs = ["a", "b", "c", "d", "e"].map((url) => ({ url }));
/** One outcome for each way in which a task can end. */
const ends: Outcome[] = [
  { status: "completed", data: { output: "/tmp/a" } },
  { status: "failed", data: { kind: "error", message: "HTTP 404", error: { code: 404 } } },
  { status: "failed", data: { kind: "panic", message: "oh", error: null } },
  { status: "cancelled", data: { reason: "user" } },
  { status: "timedOut", data: { limit: "attemptTimeout", message: "too slow" } },
];

/** Ends the members of a batch, but not in the order of the inputs. */
async function endMembers(id: string, outcomes: readonly Outcome[]): Promise<void> {
  const members = page.plugin.members(id).map((member, index) => ({ member, index }));
  for (const { member, index } of members.reverse()) {
    const outcome = outcomes[index];
    if (outcome) page.plugin.end(member, outcome);
  }
  await page.plugin.frame();
}

describe("a batch", () => {
  it("is started by one command, whose options leave out the signal", async () => {
    const { plugin, tasks } = page;
    const { signal } = new AbortController();
    const options = { concurrency: 2, priority: 1, label: "Files", tags: ["x"] };
    const batch = await tasks.batch("download", inputs, { ...options, signal });
    await tasks.batch("tick", [], { concurrency: undefined });
    expect(batch.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(plugin.calls("batch")).toStrictEqual([
      {
        session: plugin.session().nonce,
        id: batch.id,
        task: "download",
        inputs,
        options,
      },
      {
        session: plugin.session().nonce,
        id: plugin.calls("batch")[1]?.["id"],
        task: "tick",
        inputs: [],
        options: {},
      },
    ]);
    expect(batch.snapshot).toMatchObject({ members: 5, label: "Files", tags: ["x"] });
    expect([batch.status, batch.snapshot.status]).toEqual(["running", "running"]);
    expect("rerun" in batch).toBe(false);
  });

  it("resolves with the results of its members, in the order of the inputs", async () => {
    const { plugin, tasks, api } = page;
    const batch = await tasks.batch("download", inputs);
    const members = plugin.members(batch.id);
    const handles = await Promise.all(members.map((id) => tasks.attach("download", id)));
    await endMembers(batch.id, ends);
    const own = await Promise.allSettled(handles.map((handle) => handle.result));
    const result = await batch.result;
    expect(result).toEqual(own);
    expect(result.map((one) => one.status)).toEqual(["fulfilled", ...Array(4).fill("rejected")]);
    expect(result[0]).toEqual({ status: "fulfilled", value: "/tmp/a" });
    const reasons = result.map((one) => (one.status === "rejected" ? one.reason : undefined));
    expect(reasons[1]).toBeInstanceOf(api.TaskFailedError);
    expect(reasons[1]).toMatchObject({ message: "HTTP 404", error: { code: 404 } });
    expect(reasons[2]).toBeInstanceOf(api.TaskPanicError);
    expect(reasons[3]).toBeInstanceOf(api.TaskCancelledError);
    expect(reasons[3]).toMatchObject({ reason: "user" });
    expect(reasons[4]).toBeInstanceOf(api.TaskTimedOutError);
    expect(reasons[4]).toMatchObject({ limit: "attemptTimeout", message: "too slow" });
    expect(page.kept()).toBe(0);
  });

  it("has an outcome that holds the outcomes of its members, the same for all handles", async () => {
    const { tasks } = page;
    const batch = await tasks.batch("download", inputs);
    const other = await tasks.attachBatch("download", batch.id);
    expect(batch.result).toBe(batch.result);
    await endMembers(batch.id, ends);
    const outcome = await batch.outcome;
    if (outcome.status !== "completed") throw new Error(outcome.status);
    expect(outcome.output.map((one) => one.status)).toEqual(ends.map((one) => one.status));
    const [first, second] = outcome.output;
    expect(first).toEqual({ status: "completed", output: "/tmp/a" });
    expect(second).toMatchObject({ status: "failed", error: { error: { code: 404 } } });
    expect(await other.outcome).toBe(outcome);
    const settled = (await batch.result)[1];
    expect(settled?.status === "rejected" && settled.reason).toBe(
      second?.status === "failed" && second.error,
    );
  });

  it("fetches a big outcome when it is read", async () => {
    const { plugin, tasks } = page;
    const batch = await tasks.batch("download", inputs.slice(0, 1));
    const big = "x".repeat(10_000);
    await endMembers(batch.id, [{ status: "completed", data: { output: big } }]);
    expect(await stateOf(batch.closed)).toEqual({ value: undefined });
    expect(plugin.calls("outcome")).toEqual([]);
    expect(await batch.result).toEqual([{ status: "fulfilled", value: big }]);
    expect(plugin.calls("outcome")).toEqual([{ id: batch.id }]);
  });

  it("resolves with an empty array when it has no inputs", async () => {
    const { tasks } = page;
    const batch = await tasks.batch("tick", []);
    expect(await batch.result).toEqual([]);
    expect(page.kept()).toBe(0);
  });

  it("is cancelled with all its members, and its own result rejects", async () => {
    const { plugin, tasks, api } = page;
    const batch = await tasks.batch("download", inputs);
    expect(await batch.cancel()).toBeUndefined();
    expect(plugin.calls("cancel")).toEqual([{ id: batch.id, reason: "user" }]);
    await endMembers(batch.id, Array(5).fill({ status: "cancelled", data: { reason: "parent" } }));
    const error = await batch.result.catch((e: unknown) => e);
    expect(error).toBeInstanceOf(api.TaskCancelledError);
    expect(await batch.outcome).toEqual({ status: "cancelled", error });
    await expect(batch.cancel()).rejects.toMatchObject({ kind: "alreadyEnded" });
  });

  it("reports its status and its progress like a task", async () => {
    const { plugin, tasks } = page;
    const batch = await tasks.batch("download", inputs);
    const seen: unknown[] = [];
    batch.onStatus((status, { members }) => seen.push([status, members]));
    batch.onProgress((progress) => seen.push([progress.completed, progress.fraction]));
    plugin.progress(batch.id, { completed: 2, fraction: 0.4 });
    await plugin.frame();
    await endMembers(batch.id, ends);
    expect(seen).toEqual([
      ["running", 5],
      [2, 0.4],
      ["completed", 5],
    ]);
  });

  it("leaves nothing behind when it is refused, and the error names the input", async () => {
    const { plugin, tasks, api } = page;
    const data = { path: "[3].url" };
    plugin.refuse("batch", { kind: "invalidInput", message: "no URL", data });
    const error = await tasks.batch("download", inputs).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(api.TaskInputError);
    expect(error).toMatchObject({ path: "[3].url" });
    plugin.refuse("batch", "Command plugin:tasks|batch not allowed by ACL");
    await expect(tasks.batch("download", inputs)).rejects.toThrow(
      '"tasks:allow-start", "allow": [{ "task": "download" }]',
    );
    expect(page.kept()).toBe(0);
  });

  it("is started only once when the session is gone", async () => {
    const { plugin, tasks } = page;
    await tasks.start("tick");
    plugin.dropSessions();
    const batch = await tasks.batch("download", inputs);
    const [first, second] = plugin.calls("batch");
    expect([first?.["id"], second?.["id"]]).toEqual([batch.id, batch.id]);
    expect(plugin.members(batch.id)).toHaveLength(5);
  });
});

describe("the queue", () => {
  it("can pause the members, not the batch", async () => {
    const { plugin, tasks } = page;
    const batch = await tasks.batch("download", inputs);
    const callback = vi.fn();
    batch.onQueue(callback);
    await expect(batch.pause()).rejects.toMatchObject({ kind: "notPausable" });
    await expect(batch.resume()).rejects.toMatchObject({ kind: "notPausable" });
    await expect(batch.setPriority(1)).rejects.toMatchObject({ kind: "notQueued" });
    const [first] = plugin.members(batch.id);
    await (await tasks.attach("download", String(first))).pause();
    await plugin.frame();
    expect(callback).not.toHaveBeenCalled();
    expect((await tasks.get(String(first))).queue?.held).toBe(true);
  });
});

describe("a batch with an AbortSignal", () => {
  it("rejects at once when the signal is aborted, and gives its share back", async () => {
    const { plugin, tasks } = page;
    const controller = new AbortController();
    const batch = await tasks.batch("download", inputs, { signal: controller.signal });
    const result = stateOf(batch.result);
    controller.abort("enough");
    expect(await result).toEqual({ reason: "enough" });
    expect(plugin.calls("leave")).toEqual([{ id: batch.id }]);
  });

  it("gives its share back once it has started when the signal was aborted before that", async () => {
    const { plugin, tasks } = page;
    const answer = plugin.hold("batch");
    const controller = new AbortController();
    const started = tasks.batch("download", inputs, { signal: controller.signal });
    await settle();
    controller.abort("too late");
    expect(await stateOf(started)).toEqual({ reason: "too late" });
    answer();
    await settle();
    const id = plugin.calls("batch")[0]?.["id"];
    expect(plugin.calls("leave")).toEqual([{ id }]);
    expect(page.kept()).toBe(0);
  });
});

describe("the members of a batch", () => {
  it("are a live list in the order of the inputs", async () => {
    const { plugin, tasks } = page;
    await tasks.start("download", { url: "another" });
    const batch = await tasks.batch("download", inputs.slice(0, 3));
    const [first, second, third] = plugin.members(batch.id);
    const seen: string[][] = [];
    const stop = await batch.watchMembers((members) =>
      seen.push(members.map(({ id, status, parent }) => `${id} ${status} ${parent === batch.id}`)),
    );
    expect(plugin.calls("watch")[0]?.["target"]).toEqual({
      type: "list",
      data: { watch: 1, filter: { parent: [batch.id] } },
    });
    plugin.status(String(third), "running");
    plugin.status(String(first), "running");
    await plugin.frame();
    stop();
    plugin.status(String(second), "running");
    await plugin.frame();
    expect(seen).toEqual([
      [`${first} queued true`, `${second} queued true`, `${third} queued true`],
      [`${first} running true`, `${second} queued true`, `${third} running true`],
    ]);
  });

  it("are no longer reported once the signal is aborted", async () => {
    const { plugin, tasks } = page;
    const batch = await tasks.batch("download", inputs);
    const controller = new AbortController();
    const callback = vi.fn();
    await batch.watchMembers(callback, { signal: controller.signal });
    await settle();
    controller.abort();
    await settle();
    expect(plugin.calls("unwatch")).toHaveLength(1);
    plugin.status(String(plugin.members(batch.id)[0]), "running");
    await plugin.frame();
    expect(callback).toHaveBeenCalledTimes(1);
  });

  it("wait in a queue of their own, apart from other tasks of their kind", async () => {
    const { plugin, tasks } = page;
    await tasks.start("download", { url: "another" });
    const batch = await tasks.batch("download", inputs.slice(0, 2), { priority: 4 });
    const { tasks: members } = await tasks.list({ parent: batch.id });
    expect(members.map(({ queue }) => queue)).toEqual([
      { position: 1, priority: 4, held: false },
      { position: 2, priority: 4, held: false },
    ]);
    expect(members.map(({ id }) => id)).toEqual(plugin.members(batch.id));
  });
});

describe("attaching to a batch", () => {
  it("returns another handle of it, even after its end", async () => {
    const { tasks } = page;
    const batch = await tasks.batch("download", inputs);
    const during = await tasks.attachBatch("download", batch.id);
    await endMembers(batch.id, ends);
    const after = await tasks.attachBatch("download", batch.id);
    expect(await during.result).toEqual(await batch.result);
    expect(await after.result).toEqual(await batch.result);
    expect(after.status).toBe("completed");
    expect(page.kept()).toBe(0);
  });

  it("rejects when `attach` gets a batch or `attachBatch` gets a task, and says which to use", async () => {
    const { plugin, tasks, api } = page;
    const batch = await tasks.batch("download", inputs);
    const id = plugin.begin("download");
    const cases = [
      [tasks.attach("download", batch.id), `is a batch: use attachBatch("download", …)`],
      [tasks.attachBatch("download", id), `is not a batch: use attach("download", …)`],
      [tasks.attachBatch("tick", batch.id), `is a "download", not a "tick"`],
    ] as const;
    for (const [attached, message] of cases) {
      const error = await attached.catch((e: unknown) => e);
      expect(error).toBeInstanceOf(api.TaskNotFoundError);
      expect((error as Error).message).toContain(message);
    }
    await settle();
    // Only the first handle still follows the batch; nothing follows the other task.
    expect([...plugin.session().tasks.keys()]).toEqual([batch.id]);
    expect(page.page.tasks.size).toBe(1);
  });
});
