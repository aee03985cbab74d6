import { toTaskError } from "../errors/from-rejection.js";
import type { Interest, Session } from "./session.js";

/** What a subscription does with what it is sent. */
export interface Receiver<A, E> {
  /** Takes the state that an answer gives. Later events are newer than it, or repeats of what it holds. */
  restore(answer: A): void;
  apply(event: E): void;
  /** Asks for the state and for the events that follow it, in the session with this nonce. */
  watch(nonce: string): Promise<A>;
  /** The plugin no longer has what is watched. */
  vanished(): void;
}

/** Keeps the answer of a request and the events pushed around it in order, in one session after the other. */
export interface Subscription<A, E> {
  /** The first request. Rejects with a TaskError; the subscription is closed then. `task` is for hints in errors. */
  open(request: (nonce: string) => Promise<A>, task?: string): Promise<void>;
  receive(event: E, nonce: string): void;
  /** Nobody wants it any more: it is not asked for again in another session. `close` follows, or `stay`. */
  leave(): void;
  /** After all somebody wants it. `again`: the events may have ceased, so it is asked for again. */
  stay(again: boolean): void;
  /** Nothing is restored or applied any more. */
  close(): void;
  /** The session that pushes the events, if there is one now. */
  readonly nonce: string | undefined;
  /** Resolves when no request is on its way. */
  settled(): Promise<void>;
}

export function createSubscription<A, E>(
  session: Session,
  receiver: Receiver<A, E>,
): Subscription<A, E> {
  let nonce: string | undefined;
  let leaving = false;
  let closed = false;
  let pending: Promise<void> | undefined;
  /** Events that came before the answer they follow. */
  let early: { readonly nonce: string; readonly events: E[] } | undefined;

  const interest: Interest = {
    isStale: (current) => !closed && !leaving && !pending && nonce !== current,
    async renew() {
      try {
        await request(receiver.watch);
      } catch (rejection) {
        const { kind } = toTaskError(rejection);
        if (!closed && (kind === "notFound" || kind === "outcomeExpired")) receiver.vanished();
      }
    },
  };

  function request(send: (nonce: string) => Promise<A>, task?: string): Promise<void> {
    const ask = (to: string) => {
      // What came before the question is older than its answer.
      early = undefined;
      return send(to);
    };
    const sent = session.call(ask, task).then(
      (answer) => {
        pending = undefined;
        settle(answer.value, answer.nonce);
      },
      (error: unknown) => {
        pending = undefined;
        throw error;
      },
    );
    pending = sent.catch(() => {});
    return sent;
  }

  function settle(answer: A, from: string): void {
    if (closed) return;
    const events = early?.nonce === from ? early.events : [];
    early = undefined;
    nonce = from;
    receiver.restore(answer);
    for (const event of events) {
      if (!closed) receiver.apply(event);
    }
    if (closed) return;
    // Not before: what ends with its first answer needs no session that is kept alive.
    session.add(interest);
    // The session was lost while the answer was on its way, and the newer one didn't ask for what was being asked for.
    renewIfStale();
  }

  function renewIfStale(): void {
    const isStale = nonce === undefined || !session.isCurrent(nonce);
    if (isStale && !closed && !leaving) session.renew();
  }

  function close(): void {
    closed = true;
    early = undefined;
    session.delete(interest);
  }

  return {
    async open(send, task) {
      try {
        await request(send, task);
      } catch (error) {
        close();
        throw error;
      }
    },
    receive(event, from) {
      if (closed) return;
      if (nonce === from) {
        receiver.apply(event);
        return;
      }
      if (early?.nonce !== from) early = { nonce: from, events: [] };
      early.events.push(event);
    },
    leave() {
      leaving = true;
    },
    stay(again) {
      leaving = false;
      if (again) nonce = undefined;
      renewIfStale();
    },
    close,
    get nonce() {
      return !closed && nonce !== undefined && session.isCurrent(nonce) ? nonce : undefined;
    },
    settled: () => pending ?? Promise.resolve(),
  };
}
