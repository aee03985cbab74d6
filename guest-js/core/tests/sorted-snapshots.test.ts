import { describe, expect, it } from "vitest";
import { emptyProgress } from "../../mocks/plugin/progress.js";
import type { TaskSnapshot } from "../ipc/bindings.js";
import { createSortedSnapshots } from "../lists/sorted-snapshots.js";
import { randomFrom } from "./random.js";

/** The clock may be set back while tasks start, and a page may choose any id: neither says anything about the order. */
function make(id: number, order: number, sequence = 1): TaskSnapshot {
  const whole: Partial<TaskSnapshot> = {
    id: String(id),
    order,
    createdAt: 1_000 - order,
    sequence,
  };
  return { ...whole, progress: emptyProgress() } as TaskSnapshot;
}

/** Returns what the list should be, computed in the most obvious way. */
function model() {
  const all = new Map<string, TaskSnapshot>();
  return {
    all,
    sorted: () => [...all.values()].sort((a, b) => a.order - b.order),
  };
}

describe("snapshots that are kept sorted", () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    it(`are the tasks of the list, oldest first, after any changes (seed ${seed})`, () => {
      const random = randomFrom(seed);
      const snapshots = createSortedSnapshots();
      const { all, sorted } = model();
      const some = (count: number) => Array.from({ length: random(count) }, () => random(30));
      // 30 ids in another order than their own.
      const order = (id: number) => (id * 7) % 31;
      const first = some(10).map((id) => make(id, order(id)));
      for (const snapshot of first) all.set(snapshot.id, snapshot);
      snapshots.reset([...all.values()].reverse());
      expect(snapshots.all()).toEqual(sorted());
      for (let step = 0; step < 30; step += 1) {
        const removed = some(3).map(String);
        const changed = [...new Set(some(6))].map((id) => make(id, order(id), 1 + random(4)));
        const progressed = some(6)
          .map(String)
          .filter((id) => !changed.some((one) => one.id === id))
          .map((id) => ({ id, sequence: 1 + random(4), progress: emptyProgress() }));
        let different = false;
        for (const id of removed) different = all.delete(id) || different;
        for (const snapshot of changed) {
          const before = all.get(snapshot.id);
          if (before && before.sequence > snapshot.sequence) continue;
          all.set(snapshot.id, snapshot);
          different = true;
        }
        for (const { id, sequence, progress } of progressed) {
          const before = all.get(id);
          if (!before || before.sequence > sequence) continue;
          all.set(id, { ...before, progress });
          different = true;
        }
        const before = snapshots.all();
        const copy = [...before];
        expect(snapshots.apply({ watch: 1, changed, progressed, removed })).toBe(different);
        expect(snapshots.all()).toEqual(sorted());
        // Arrays that were handed out before must not have changed.
        expect(before).toEqual(copy);
      }
    });
  }

  it("cost as little for a long list as for a short one", () => {
    const snapshots = createSortedSnapshots();
    const count = 10_000;
    snapshots.reset(Array.from({ length: count }, (_, id) => make(id, id)));
    let looks = 0;
    const counting = (id: number) => {
      const snapshot = make(id, count + id, 2);
      const at = snapshot.order;
      return Object.defineProperty(snapshot, "order", {
        get: () => {
          looks += 1;
          return at;
        },
      });
    };
    const added = Array.from({ length: 100 }, (_, index) => counting(count + index));
    snapshots.apply({ watch: 1, changed: added, progressed: [], removed: [] });
    expect(snapshots.all()).toHaveLength(count + 100);
    expect(looks).toBeLessThan(500);
  });
});
