import { toTaskError } from "../errors/from-rejection.js";
import type { Interest, Session } from "./session.js";

/** What a subscription is about: how to ask for the state, and where the state and the events go. */
export interface Receiver<A, E> {
  /** Takes the state in an answer. Events that follow are newer, or repeat what the state already includes. */
  restore(answer: A): void;
  apply(event: E): void;
  /** Requests the state and the events that follow it, in the session with this nonce. */
  watch(nonce: string): Promise<A>;
  /** The plugin no longer has what was watched. */
  vanished(): void;
}

/** Keeps the answer to a request and the events pushed around it in order, across sessions. */
export interface Subscription<A, E> {
  /** Makes the first request. Rejects with a TaskError; the subscription is closed then. `task` is the kind that hints name. */
  open(request: (nonce: string) => Promise<A>, task?: string): Promise<void>;
  receive(event: E, nonce: string): void;
  /** Stops renewing in new sessions, because nobody needs it any more. `close` or `stay` follows. */
  leave(): void;
  /** Undoes `leave`. `again` requests the state once more, for when the events may have ceased. */
  stay(again: boolean): void;
  /** From then on nothing is restored or applied. */
  close(): void;
  /** The nonce of the session that pushes the events; `undefined` if none does now. */
  readonly nonce: string | undefined;
  /** Resolves when no request is pending. */
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
  /** Events that arrived before the answer they follow. */
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
      // What came before the request is older than its answer.
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
    // Not earlier: what ends with its first answer needs no session to be kept alive.
    session.add(interest);
    // If the session was lost before the answer came, the newer session left this pending request alone.
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
