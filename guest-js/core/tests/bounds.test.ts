import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TaskError, TaskQuotaError } from "../errors/task-error.js";
import type { TaskQuery } from "../types/query.js";
import { type LoadedPage, loadPage, settle } from "./load-page.js";

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => page.unload());

/** The client without its types, which know the fields of each query. */
interface Untyped {
  list(query: object): Promise<unknown>;
  cancelAll(query: object): Promise<unknown>;
  attachAll(query: object): Promise<unknown>;
  watch(query: object, callback: () => void): Promise<() => void>;
}

const FIELDS: readonly (keyof TaskQuery)[] = ["task", "status", "tag", "key", "parent"];

describe("a query", () => {
  for (const field of FIELDS) {
    it(`takes 256 values of ${field} and is refused before it is sent with more`, async () => {
      const tasks: Untyped = page.tasks as unknown as Untyped;
      const query = (many: number): object => {
        const values = Array.from({ length: many }, (_, n) =>
          field === "status" ? "queued" : `v${n}`,
        );
        return { [field]: values };
      };
      await tasks.list(query(256));
      await tasks.cancelAll(query(256));
      (await tasks.watch(query(256), () => {}))();
      await settle();
      const before = page.plugin.commands().length;
      for (const many of [257, 100_000]) {
        const calls = [
          () => tasks.list(query(many)),
          () => tasks.cancelAll(query(many)),
          () => tasks.watch(query(many), () => {}),
          () => tasks.attachAll(query(many)),
        ];
        for (const call of calls) {
          const error = await call().catch((thrown: unknown) => thrown);
          expect(error).toBeInstanceOf(TaskError);
          expect((error as TaskError).kind).toBe("invalidOptions");
          expect((error as TaskError).message).toContain(`query.${field} has ${many} entries`);
        }
      }
      expect(page.plugin.commands().length).toBe(before);
    });
  }
});

describe("a page", () => {
  it("watches 256 lists, and one more is refused while the others go on", async () => {
    const { tasks } = page;
    const stops = await Promise.all(Array.from({ length: 256 }, () => tasks.watch({}, () => {})));
    const refused = await tasks.watch({}, () => {}).catch((thrown: unknown) => thrown);
    expect(refused).toBeInstanceOf(TaskQuotaError);
    expect(refused).toMatchObject({ kind: "quotaExceeded", quota: "lists", limit: 256 });
    stops[0]?.();
    await settle();
    const stop = await tasks.watch({}, () => {});
    stop();
  });

  it("has 1,024 shares in one task, and may join it again once a call has given its share back", async () => {
    const { plugin, tasks } = page;
    const join = { key: "k", onConflict: "join" } as const;
    const id = plugin.begin("tick", null, { key: "k" });
    const first = new AbortController();
    await tasks.start("tick", null, { ...join, signal: first.signal });
    for (let more = 1; more < 1_024; more += 1) await tasks.start("tick", null, join);
    const refused = await tasks.start("tick", null, join).catch((thrown: unknown) => thrown);
    expect(refused).toBeInstanceOf(TaskQuotaError);
    expect(refused).toMatchObject({ quota: "sharesOfTask", limit: 1_024 });
    first.abort();
    await settle();
    expect((await tasks.start("tick", null, join)).id).toBe(id);
  });

  it("may have 1,024 calls that wait, and one more is refused until an answer comes", async () => {
    const { plugin, tasks } = page;
    const ids = Array.from({ length: 1_025 }, () => plugin.begin("tick"));
    const { commands } = await import("../ipc/bindings.js");
    const waiting = ids.slice(0, 1_024).map((id) => commands.outcome(id));
    const [last = ""] = ids.slice(-1);
    await expect(commands.outcome(last)).rejects.toMatchObject({ data: { quota: "waits" } });
    plugin.complete(ids[0] ?? "", 1);
    await waiting[0];
    const next = commands.outcome(last);
    plugin.complete(last, 2);
    expect(await next).toMatchObject({ status: "completed" });
    expect((await tasks.get(last)).status).toBe("completed");
  });
});
