import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createPolls, type Seat } from "../items/polls.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

interface Sent {
  readonly name: string;
  readonly waitMs: number;
  readonly at: number;
  answer(value?: string): void;
  fail(error: unknown): void;
}

/** Creates readers of a plugin that answers when the test tells it to, or with `undefined` when a wait is over. */
function fakeReaders({ hearsRoom = true } = {}) {
  const polls = createPolls();
  const begin = performance.now();
  const log: string[] = [];
  const onTheirWay = new Set<Sent>();
  let most = 0;

  function send(name: string, waitMs: number): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        if (!onTheirWay.delete(sent)) return;
        clearTimeout(timer);
        finish();
      };
      const sent: Sent = {
        name,
        waitMs,
        at: performance.now() - begin,
        answer: (value) => settle(() => resolve(value)),
        fail: (error) => settle(() => reject(error)),
      };
      const timer = setTimeout(() => sent.answer(), waitMs);
      log.push(`${name} ${waitMs}`);
      if (waitMs === 0 && hearsRoom) for (const other of [...onTheirWay]) other.answer();
      onTheirWay.add(sent);
      most = Math.max(most, [...onTheirWay].filter((one) => one.waitMs > 0).length);
    });
  }

  const reads = (seat: Seat, name: string, wanted = () => true) =>
    seat.read(Number(name.slice(1)), (waitMs) => send(name, waitMs), wanted);

  return {
    seat: () => polls.join(),
    /** Returns seats whose first reads have brought something. */
    flowing: async (...letters: string[]) => {
      const seats = letters.map(() => polls.join());
      for (const [index, seat] of seats.entries()) {
        const first = reads(seat, `${letters[index]}0`);
        [...onTheirWay].find((one) => one.name === `${letters[index]}0`)?.answer("x");
        await first;
      }
      await vi.advanceTimersByTimeAsync(0);
      log.length = 0;
      return seats as [Seat, Seat, ...Seat[]];
    },
    /** `name` is a letter for the reader, then the order. */
    read: reads,
    /** Returns what was sent since the last call. */
    sent: () => log.splice(0),
    waiting: () => [...onTheirWay].map(({ name }) => name),
    answer: async (name: string, value?: string) => {
      [...onTheirWay].find((one) => one.name === name)?.answer(value);
      await vi.advanceTimersByTimeAsync(0);
    },
    fail: async (name: string, error: unknown) => {
      [...onTheirWay].find((one) => one.name === name)?.fail(error);
      await vi.advanceTimersByTimeAsync(0);
    },
    most: () => most,
    async finish() {
      while (onTheirWay.size > 0) {
        for (const one of [...onTheirWay]) one.answer("end");
        await vi.advanceTimersByTimeAsync(0);
      }
    },
  };
}

describe("up to four readers", () => {
  it("have one waiting read each, and more in slots that nobody else needs", async () => {
    const { flowing, read, sent, finish, most } = fakeReaders();
    const [a, b] = await flowing("a", "b");
    for (const name of ["a1", "a2"]) void read(a, name);
    for (const name of ["b1", "b2"]) void read(b, name);
    expect(sent()).toEqual(["a1 20000", "a2 20000", "b1 20000", "b2 20000"]);
    await finish();
    expect(most()).toBe(4);
  });

  it("can take all slots if there is only one reader", async () => {
    const { flowing, read, sent, finish, answer, most } = fakeReaders();
    const [a] = await flowing("a", "b");
    for (const name of ["a1", "a2", "a3", "a4", "a5"]) void read(a, name);
    expect(sent()).toEqual(["a1 20000", "a2 20000", "a3 20000", "a4 20000"]);
    await answer("a1", "x");
    expect(sent()).toEqual(["a5 20000"]);
    await finish();
    expect(most()).toBe(4);
  });

  it("have only one slot after they made room, until something comes for them", async () => {
    const { flowing, read, sent, finish, answer } = fakeReaders();
    const [a, b] = await flowing("a", "b");
    for (const name of ["a1", "a2", "a3", "a4", "a5", "a6"]) void read(a, name);
    void read(b, "b1");
    void read(b, "b2");
    sent();
    await vi.advanceTimersByTimeAsync(0);
    expect(sent().sort()).toEqual(["a1 20000", "b1 20000"]);
    await answer("a1", "x");
    expect(sent()).toEqual(["a2 20000", "a3 20000", "a4 20000"]);
    await finish();
    await finish();
  });

  it("make room for a reader that comes later, whose first read doesn't wait", async () => {
    const { seat, flowing, read, sent, finish, waiting } = fakeReaders();
    const [a, b] = await flowing("a", "b");
    const c = seat();
    for (const name of ["a1", "a2"]) void read(a, name);
    for (const name of ["b1", "b2"]) void read(b, name);
    sent();
    void read(c, "c1");
    void read(c, "c2");
    expect(sent()).toEqual(["c1 0"]);
    await vi.advanceTimersByTimeAsync(0);
    expect(sent().sort()).toEqual(["a1 20000", "b1 20000", "c1 20000"]);
    expect(waiting()).toHaveLength(3);
    await finish();
  });

  it("make room for a reader that comes back", async () => {
    const { flowing, read, sent, finish, waiting } = fakeReaders();
    const [a, b, c] = await flowing("a", "b", "c");
    if (!c) return;
    for (const name of ["a1", "a2"]) void read(a, name);
    for (const name of ["b1", "b2"]) void read(b, name);
    sent();
    void read(c, "c2");
    expect(sent()).toEqual(["c2 0"]);
    await vi.advanceTimersByTimeAsync(0);
    for (const name of ["a1", "b1", "c2"]) expect(waiting()).toContain(name);
    await finish();
  });

  it("have one slot each when there are four", async () => {
    const { seat, read, finish, waiting, most } = fakeReaders();
    for (const name of ["a", "b", "c", "d"]) {
      const one = seat();
      void read(one, `${name}1`);
      void read(one, `${name}2`);
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(waiting().sort()).toEqual(["a1", "b1", "c1", "d1"]);
    await finish();
    expect(most()).toBe(4);
  });
});

describe("more than four readers", () => {
  it("all get a share while there is always something to read for each", async () => {
    const polls = createPolls();
    const got = [0, 0, 0, 0, 0, 0];
    let over = false;
    async function consume(reader: number): Promise<void> {
      const seat = polls.join();
      let order = 0;
      const ask = () => {
        order += 1;
        // Reads that wait are answered after a millisecond, before their wait is over.
        const send = (waitMs: number) =>
          new Promise<string | undefined>((resolve) =>
            setTimeout(() => resolve(waitMs > 0 ? "x" : undefined), 1),
          );
        return seat.read(order, send, () => !over);
      };
      const asked = [ask(), ask(), ask(), ask()];
      while ((await asked.shift()) !== undefined) {
        got[reader] = (got[reader] ?? 0) + 1;
        asked.push(ask());
      }
    }
    const all = got.map((_, reader) => consume(reader));
    await vi.advanceTimersByTimeAsync(6_000);
    expect(Math.min(...got)).toBeGreaterThan(Math.max(...got) / 2);
    over = true;
    await vi.advanceTimersByTimeAsync(1_000);
    await Promise.all(all);
  });

  it("take turns of 250 ms, and none of them starves", async () => {
    const { seat, read, sent, finish, most } = fakeReaders();
    const names = ["a", "b", "c", "d", "e", "f", "g"];
    for (const name of names) void read(seat(), name);
    expect(sent()).toEqual(["a 20000", "b 20000", "c 20000", "d 20000", "e 0", "f 0", "g 0"]);
    await vi.advanceTimersByTimeAsync(0);
    sent();
    await vi.advanceTimersByTimeAsync(7 * 250);
    const turns = sent();
    expect(new Set(turns.map((turn) => turn.split(" ")[1]))).toEqual(new Set(["250"]));
    for (const name of names) {
      expect(turns.filter((turn) => turn.startsWith(name)).length).toBeGreaterThanOrEqual(3);
    }
    await finish();
    expect(most()).toBe(4);
  });

  it("take turns even if each has a second read to send", async () => {
    const { seat, read, sent, finish } = fakeReaders();
    const names = ["a", "b", "c", "d", "e", "f", "g"];
    for (const name of names) {
      const one = seat();
      void read(one, `${name}1`);
      void read(one, `${name}2`);
    }
    await vi.advanceTimersByTimeAsync(0);
    sent();
    await vi.advanceTimersByTimeAsync(7 * 250);
    const turns = sent();
    for (const name of names) {
      expect(turns.filter((turn) => turn.startsWith(`${name}1`)).length).toBeGreaterThanOrEqual(3);
      // No reader has two reads waiting while another has none.
      expect(turns.filter((turn) => turn.startsWith(`${name}2`))).toEqual([]);
    }
    await finish();
  });

  it("read once without waiting when they join", async () => {
    const { seat, read, sent, finish } = fakeReaders({ hearsRoom: false });
    for (const name of ["a", "b", "c", "d", "e"]) void read(seat(), name);
    await vi.advanceTimersByTimeAsync(20_500);
    sent();
    void read(seat(), "f");
    expect(sent()).toEqual(["f 0"]);
    await finish();
  });

  it("wait for the full time again once only four are left", async () => {
    const { seat, read, sent, finish, answer } = fakeReaders();
    for (const name of ["a", "b", "c", "d", "e"]) void read(seat(), name);
    await vi.advanceTimersByTimeAsync(300);
    await answer("a", "x");
    await answer("b", "x");
    sent();
    await vi.advanceTimersByTimeAsync(250);
    expect(new Set(sent().map((turn) => turn.split(" ")[1]))).toEqual(new Set(["20000"]));
    await finish();
  });

  it("keep their slot during their turn while there is something for them", async () => {
    const { seat, read, sent, finish, answer, waiting } = fakeReaders();
    const fast = seat();
    void read(fast, "f1");
    void read(fast, "f2");
    for (const name of ["a", "b", "c", "d", "e"]) void read(seat(), name);
    await vi.advanceTimersByTimeAsync(0);
    while (!waiting().includes("f1")) await vi.advanceTimersByTimeAsync(250);
    sent();
    await vi.advanceTimersByTimeAsync(100);
    await answer("f1", "x");
    void read(fast, "f3");
    expect(sent()).toEqual(["f2 150"]);
    await answer("f2", "x");
    expect(sent()).toEqual(["f3 150"]);
    await vi.advanceTimersByTimeAsync(150);
    // Its turn is over, and another reader has its turn.
    expect(waiting()).not.toContain("f3");
    await finish();
  });

  it("ask for room again if a long wait began after their request", async () => {
    const { seat, read, sent, finish, waiting } = fakeReaders({ hearsRoom: false });
    for (const name of ["a", "b", "c", "d"]) void read(seat(), name);
    void read(seat(), "e");
    await vi.advanceTimersByTimeAsync(0);
    sent();
    await vi.advanceTimersByTimeAsync(900);
    expect(sent()).toEqual(["e 0", "e 0", "e 0"]);
    await vi.advanceTimersByTimeAsync(19_100);
    expect(waiting()).toContain("e");
    await finish();
  });
});

describe("a reader that waits beside one that doesn't", () => {
  it("is asked only once to make room, and has one slot from then on", async () => {
    const { flowing, read, answer, waiting, sent, finish } = fakeReaders();
    const [idle, busy] = await flowing("i", "b");
    for (const name of ["i1", "i2", "i3", "i4"]) void read(idle, name);
    expect(waiting()).toHaveLength(4);
    void read(busy, "b1");
    await vi.advanceTimersByTimeAsync(0);
    sent();
    for (let chunk = 1; chunk < 20; chunk += 1) {
      void read(busy, `b${chunk + 1}`);
      await answer(`b${chunk}`, "x");
      expect(waiting().filter((name) => name.startsWith("i"))).toEqual(["i1"]);
    }
    expect(sent().filter((read) => read.startsWith("i"))).toEqual([]);
    await finish();
    await finish();
  });
});

describe("a read", () => {
  it("is sent again before later ones after it failed", async () => {
    const { seat, read, sent, finish, fail, waiting, most } = fakeReaders();
    const [a, b] = [seat(), seat()];
    const first = read(a, "a1").catch(() => read(a, "a1"));
    void read(a, "a2");
    void read(b, "b1");
    void read(b, "b2");
    void read(a, "a3");
    void read(b, "b3");
    sent();
    await fail("a1", "not reached");
    await vi.advanceTimersByTimeAsync(0);
    expect(waiting()).toContain("a1");
    expect(waiting()).toContain("b1");
    await finish();
    expect(await first).toBe("end");
    expect(most()).toBeLessThanOrEqual(4);
  });

  it("frees its slot when it fails", async () => {
    const { seat, read, sent, finish, fail } = fakeReaders();
    const seats = ["a", "b", "c", "d"].map((name) => [name, seat()] as const);
    const [first] = seats.map(([name, one]) => read(one, name));
    const a2 = seats[0] && read(seats[0][1], "a2");
    sent();
    const failed = expect(first).rejects.toBe("broken");
    await fail("a", "broken");
    await failed;
    expect(sent()).toEqual(["a2 20000"]);
    await finish();
    expect(await a2).toBe("end");
  });

  it("is not sent, or not sent again, once it is no longer wanted", async () => {
    const { flowing, read, sent, finish, answer } = fakeReaders();
    let wanted = true;
    const [a] = await flowing("a", "b");
    const reads = ["a1", "a2", "a3", "a4", "a5"].map((name) => read(a, name, () => wanted));
    sent();
    wanted = false;
    await answer("a1");
    expect(await reads[0]).toBeUndefined();
    expect(await reads[4]).toBeUndefined();
    expect(sent()).toEqual([]);
    await finish();
    expect(await reads[1]).toBe("end");
  });
});
