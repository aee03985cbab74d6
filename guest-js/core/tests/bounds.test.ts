import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TaskError, TaskQuotaError } from "../errors/task-error.js";
import type { TaskQuery } from "../types/query.js";
import { type LoadedPage, loadPage, settle } from "./fake-plugin.js";

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
});
