import { toTaskError } from "../errors/from-rejection.js";
import type { TaskError } from "../errors/task-error.js";
import type { SessionMessage } from "../ipc/bindings.js";
import { createLink, type Link, PING_MS } from "./link.js";

/** How many new sessions in a row may be lost before that is an error. */
const ATTEMPTS = 3;

/** Something the plugin pushes to this page, and that must be requested anew in every new session. */
export interface Interest {
  /** Whether it belongs to another session than this one, and is not being renewed already. */
  isStale(nonce: string): boolean;
  /** Never rejects: the next ping tries again. */
  renew(): Promise<void>;
}

/** The page's connection to the plugin. Opened when first needed, and reopened when the plugin has dropped it. */
export interface Session {
  /**
   * Runs a command that needs the session, and repeats it in a new one if the session was gone. Rejects with a
   * {@link TaskError}. `task` is the kind that a hint in the error names.
   */
  call<T>(
    send: (nonce: string) => Promise<T>,
    task?: string,
  ): Promise<{ readonly value: T; readonly nonce: string }>;
  /** The nonce of the current session, which is opened if there is none. Rejects with a {@link TaskError}. */
  open(): Promise<string>;
  /**
   * Runs a command that makes sense in this session alone, and is never repeated in another. The session need not be the current
   * one: the plugin may still have one that this page has given up. Rejects with a {@link TaskError}.
   */
  callIn<T>(nonce: string, send: () => Promise<T>): Promise<T>;
  isCurrent(nonce: string): boolean;
  /** The session is kept alive as long as there is an interest. */
  add(interest: Interest): void;
  delete(interest: Interest): void;
  /** Brings every stale interest up to date. */
  renew(): void;
  /** The number of interests. */
  readonly size: number;
}

/** `deliver` gets each message once, in order, and only from the newest session. */
export function createSession(deliver: (message: SessionMessage, nonce: string) => void): Session {
  const interests = new Set<Interest>();
  let current: Link | undefined;
  let opening: Promise<Link> | undefined;
  let lastHeard = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Sessions lost since the plugin last answered in one. */
  let losses = 0;

  function heard(): void {
    lastHeard = performance.now();
    losses = 0;
  }

  function ensure(): Promise<Link> {
    if (current) return Promise.resolve(current);
    opening ??= open().finally(() => {
      opening = undefined;
    });
    return opening;
  }

  async function open(): Promise<Link> {
    const link = createLink({ deliver, heard, lost: lose });
    await link.open();
    current = link;
    lastHeard = performance.now();
    // A timer that is already running may have a longer interval.
    clearTimeout(timer);
    timer = undefined;
    schedule();
    return link;
  }

  function lose(link: Link): void {
    if (current !== link) return;
    link.retire();
    current = undefined;
    losses += 1;
    renew();
  }

  function schedule(delay = current?.pingMs ?? PING_MS): void {
    if (timer === undefined && interests.size > 0) timer = setTimeout(tick, delay);
  }

  function tick(): void {
    timer = undefined;
    losses = 0;
    const rest = current ? lastHeard + current.pingMs - performance.now() : 0;
    if (current && rest <= 0) void current.acknowledge();
    renew();
    schedule(rest > 0 ? rest : undefined);
  }

  function renew(): void {
    // If the plugin drops each new session at once, wait for the next ping.
    if (interests.size === 0 || losses >= ATTEMPTS) return;
    ensure().then(
      (link) => {
        // If it was lost in the meantime, whoever noticed has called `renew` again.
        if (link !== current) return;
        for (const interest of [...interests]) {
          if (interest.isStale(link.nonce)) void interest.renew();
        }
      },
      () => {}, // The next ping tries again.
    );
  }

  return {
    async call(send, task) {
      for (let attempt = 1; ; attempt += 1) {
        let link: Link | undefined;
        try {
          link = await ensure();
          const value = await send(link.nonce);
          if (link === current) heard();
          return { value, nonce: link.nonce };
        } catch (rejection) {
          const error: TaskError = toTaskError(rejection, task);
          if (!link || error.kind !== "sessionGone") throw error;
          lose(link);
          if (attempt === ATTEMPTS) throw error;
        }
      }
    },
    async open() {
      try {
        return (await ensure()).nonce;
      } catch (rejection) {
        throw toTaskError(rejection);
      }
    },
    async callIn(nonce, send) {
      try {
        const value = await send();
        // Not `heard`: however much is read, a ping must still repeat an acknowledgement that got lost.
        if (current?.nonce === nonce) losses = 0;
        return value;
      } catch (rejection) {
        const error = toTaskError(rejection);
        if (error.kind === "sessionGone" && current?.nonce === nonce) lose(current);
        throw error;
      }
    },
    isCurrent: (nonce) => current?.nonce === nonce,
    add(interest) {
      interests.add(interest);
      schedule();
    },
    delete(interest) {
      interests.delete(interest);
      if (interests.size === 0) {
        clearTimeout(timer);
        timer = undefined;
      }
    },
    renew,
    get size() {
      return interests.size;
    },
  };
}
