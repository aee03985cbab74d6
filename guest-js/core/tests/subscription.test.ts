import { describe, expect, it } from "vitest";
import type { Interest, Session } from "../session/session.js";
import { createSubscription } from "../session/subscription.js";

/** Creates a session that answers when the test tells it to. */
function fakeSession() {
  let current = "a";
  const interests = new Set<Interest>();
  const answers: ((value: unknown, nonce: string) => void)[] = [];
  const asks: (() => void)[] = [];
  let renewals = 0;
  const session: Session = {
    async call(send) {
      const sent = new Map([[current, send(current)]]);
      asks.push(() => sent.set(current, send(current)));
      const nonce = await new Promise<string>((resolve, reject) => {
        answers.push((value, from) => (value instanceof Error ? reject(value) : resolve(from)));
      });
      return { value: await (sent.get(nonce) ?? send(nonce)), nonce };
    },
    open: async () => current,
    callIn: (_, send) => send(),
    isCurrent: (nonce) => nonce === current,
    add: (interest) => interests.add(interest),
    delete: (interest) => interests.delete(interest),
    renew: () => {
      renewals += 1;
    },
    get size() {
      return interests.size;
    },
  };
  return {
    session,
    interests,
    switchTo: (nonce: string) => {
      current = nonce;
    },
    /** Repeats a request of another session in the current one. */
    askAgain: () => {
      for (const ask of asks) ask();
    },
    answer: async (value: unknown, nonce = current) => {
      answers.shift()?.(value, nonce);
      for (let i = 0; i < 10; i += 1) await Promise.resolve();
    },
    renewals: () => renewals,
  };
}

function subscribe(session: Session) {
  const seen: string[] = [];
  const subscription = createSubscription<string, string>(session, {
    restore: (answer) => seen.push(`state ${answer}`),
    apply: (event) => seen.push(event),
    watch: async (nonce) => nonce,
    vanished: () => seen.push("vanished"),
    unwanted: (nonce) => seen.push(`unwanted ${nonce}`),
  });
  return { seen, subscription };
}

describe("a subscription", () => {
  it("applies early events after the state, and later ones at once", async () => {
    const { session, answer } = fakeSession();
    const { seen, subscription } = subscribe(session);
    const opened = subscription.open(async (nonce) => nonce);
    subscription.receive("one", "a");
    subscription.receive("two", "a");
    expect(seen).toEqual([]);
    await answer("ok");
    await opened;
    subscription.receive("three", "a");
    expect(seen).toEqual(["state a", "one", "two", "three"]);
  });

  it("doesn't keep the session alive before the first answer", async () => {
    const { session, interests, answer } = fakeSession();
    const { subscription } = subscribe(session);
    const opened = subscription.open(async (nonce) => nonce);
    expect(interests.size).toBe(0);
    await answer("ok");
    await opened;
    const [interest] = interests;
    expect(interest?.isStale("a")).toBe(false);
    expect(interest?.isStale("b")).toBe(true);
  });

  it("drops early events of a session that was replaced", async () => {
    const { session, answer, switchTo, askAgain } = fakeSession();
    const { seen, subscription } = subscribe(session);
    const opened = subscription.open(async (nonce) => nonce);
    subscription.receive("old", "a");
    switchTo("b");
    askAgain();
    subscription.receive("new", "b");
    await answer("ok");
    await opened;
    expect(seen).toEqual(["state b", "new"]);
  });

  it("drops events that came before its request in their session", async () => {
    const { session, answer, switchTo, askAgain } = fakeSession();
    const { seen, subscription } = subscribe(session);
    const opened = subscription.open(async (nonce) => nonce);
    switchTo("b");
    subscription.receive("older than the answer", "b");
    askAgain();
    subscription.receive("new", "b");
    await answer("ok");
    await opened;
    expect(seen).toEqual(["state b", "new"]);
  });

  it("is not renewed after `leave`, and is renewed again after `stay`", async () => {
    const { session, answer, switchTo, renewals, interests } = fakeSession();
    const { subscription } = subscribe(session);
    const opened = subscription.open(async (nonce) => nonce);
    subscription.leave();
    switchTo("b");
    await answer("ok", "a");
    await opened;
    expect([renewals(), [...interests][0]?.isStale("b")]).toEqual([0, false]);
    subscription.stay(false);
    expect([renewals(), [...interests][0]?.isStale("b")]).toEqual([1, true]);
  });

  it("is requested again in the same session when its events may have ceased", async () => {
    const { session, answer, renewals, interests } = fakeSession();
    const { subscription } = subscribe(session);
    const opened = subscription.open(async (nonce) => nonce);
    await answer("ok");
    await opened;
    subscription.stay(false);
    expect([renewals(), [...interests][0]?.isStale("a")]).toEqual([0, false]);
    subscription.stay(true);
    expect([renewals(), [...interests][0]?.isStale("a")]).toEqual([1, true]);
  });

  it("is renewed when its answer comes from a session that is gone", async () => {
    const { session, answer, switchTo, renewals, interests } = fakeSession();
    const { seen, subscription } = subscribe(session);
    const opened = subscription.open(async (nonce) => nonce);
    switchTo("b");
    await answer("ok", "a");
    await opened;
    expect(seen).toEqual(["state a"]);
    expect(renewals()).toBe(1);
    expect([...interests][0]?.isStale("b")).toBe(true);
    expect(subscription.nonce).toBeUndefined();
  });

  it("does nothing after it was closed", async () => {
    const { session, answer, interests } = fakeSession();
    const { seen, subscription } = subscribe(session);
    const opened = subscription.open(async (nonce) => nonce);
    subscription.close();
    await answer("ok");
    await opened;
    subscription.receive("late", "a");
    expect(seen).toEqual([]);
    expect(interests.size).toBe(0);
  });

  it("is closed when its first request is refused", async () => {
    const { session, answer, interests } = fakeSession();
    const { subscription } = subscribe(session);
    const opened = subscription.open(async (nonce) => nonce);
    opened.catch(() => {});
    await answer(new Error("no"));
    await expect(opened).rejects.toThrow("no");
    expect(interests.size).toBe(0);
    await subscription.settled();
  });
});
