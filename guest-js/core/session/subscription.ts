import { withLate } from "../calls/late.js";
import { toTaskError } from "../errors/from-rejection.js";
import type { Interest, Session } from "./session.js";

/** Requests the state of what is watched, and takes that state and the events that follow it. */
export interface Receiver<A, E> {
  /** Takes the state from an answer. The events that follow are newer, or repeat what the state already includes. */
  restore(answer: A): void;
  apply(event: E): void;
  /** Requests the state and the events that follow it, in the session `nonce`. */
  watch(nonce: string): Promise<A>;
  /** Called when the plugin no longer has what was watched. */
  vanished(): void;
  /** Called when a request is carried out in the session `nonce` after all, with `answer`, and the subscription is closed. */
  unwanted(nonce: string, answer: A): void;
}

/** Puts the answer to a request and the events that are pushed before and after it in order, across sessions. */
export interface Subscription<A, E> {
  /** Makes the first request. If it rejects, with a TaskError, the subscription is closed. `task` is the kind to name in hints. */
  open(request: (nonce: string) => Promise<A>, task?: string): Promise<void>;
  receive(event: E, nonce: string): void;
  /** Stops requesting the state in new sessions, because nobody may need it any more. `close` or `stay` must follow. */
  leave(): void;
  /** Undoes `leave`. With `again`, requests the state once more, because the events may have stopped. */
  stay(again: boolean): void;
  /** Requests the state once more, because some events may not come. */
  repeat(): void;
  /** Ends the subscription: nothing is restored or applied any more. */
  close(): void;
  /** The nonce of the session that pushes the events; `undefined` while none does. */
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
  /** Whether the state has to be requested once more, although the events come in this session. */
  let outdated = false;
  /** The number of the newest request. */
  let asked = 0;
  /** The number of the newest request whose answer was taken. */
  let taken = 0;
  /** Events that arrived before the answer that they belong after. */
  let early: { readonly nonce: string; readonly events: E[] } | undefined;

  const interest: Interest = {
    isStale: (current) => !closed && !leaving && !pending && (outdated || nonce !== current),
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
      // Events that came before the request are older than its answer.
      early = undefined;
      if (outdated || nonce === to) nonce = undefined;
      outdated = false;
      asked += 1;
      const number = asked;
      return withLate(send(to), (answer) => arriveLate(number, answer, to));
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

  /** A request that the page has given up was carried out after all, perhaps after those that the page has made since. */
  function arriveLate(number: number, answer: A, from: string): void {
    if (!session.isCurrent(from)) return;
    if (closed) {
      receiver.unwanted(from, answer);
      return;
    }
    if (number === asked && nonce !== from) {
      settle(answer, from);
      return;
    }
    // While the answers to all newer requests are missing, this is the newest state that there is.
    if (number > taken) {
      taken = number;
      receiver.restore(answer);
    }
    if (!closed) repeat();
  }

  function repeat(): void {
    outdated = true;
    renewIfStale();
  }

  function settle(answer: A, from: string): void {
    if (closed) return;
    const events = early?.nonce === from ? early.events : [];
    early = undefined;
    nonce = from;
    taken = asked;
    receiver.restore(answer);
    for (const event of events) {
      if (!closed) receiver.apply(event);
    }
    if (closed) return;
    // Not earlier: if the first answer ends it, no session needs to be kept alive for it.
    session.add(interest);
    // If the session was lost before the answer came, the new session did not renew this, because the request was pending.
    renewIfStale();
  }

  function renewIfStale(): void {
    const isStale = outdated || nonce === undefined || !session.isCurrent(nonce);
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
      if (again) repeat();
      else renewIfStale();
    },
    repeat,
    close,
    get nonce() {
      return !closed && nonce !== undefined && session.isCurrent(nonce) ? nonce : undefined;
    },
    settled: () => pending ?? Promise.resolve(),
  };
}
