import { toTaskError } from "../errors/from-rejection.js";
import type { TaskError } from "../errors/task-error.js";
import type { SessionMessage } from "../ipc/bindings.js";
import { createLink, type Link, PING_MS } from "./link.js";
import { watchVisibility } from "./visibility.js";

/** How many new sessions may be lost in a row before the client gives up. */
const ATTEMPTS = 3;

/** Something that the plugin pushes to this page and that must be requested again in every new session. */
export interface Interest {
  /** Whether it still has to be requested in the session `nonce`, and no request for it is pending. */
  isStale(nonce: string): boolean;
  /** Requests it in the current session. Never rejects: the next ping tries again. */
  renew(): Promise<void>;
}

/** The page's connection to the plugin. It is opened when first needed, and opened again when the plugin has dropped it. */
export interface Session {
  /**
   * Runs a command that needs a session, and repeats it in a new session if the old one is gone. Rejects with a
   * {@link TaskError}. `task` is the kind to name in the hint of an error.
   */
  call<T>(
    send: (nonce: string) => Promise<T>,
    task?: string,
  ): Promise<{ readonly value: T; readonly nonce: string }>;
  /** Returns the nonce of the current session, and opens one if there is none. Rejects with a {@link TaskError}. */
  open(): Promise<string>;
  /**
   * Runs a command that makes sense only in the session `nonce`, and never repeats it in another one. The session need not be the
   * current one: the plugin may still have a session that this page has given up. Rejects with a {@link TaskError}.
   */
  callIn<T>(nonce: string, send: () => Promise<T>): Promise<T>;
  isCurrent(nonce: string): boolean;
  /** Adds an interest. The session is kept alive as long as there is at least one. */
  add(interest: Interest): void;
  delete(interest: Interest): void;
  /** Renews every stale interest in the current session, or in a new one if there is none. */
  renew(): void;
  /** The number of interests. */
  readonly size: number;
}

/** Creates a session. `deliver` gets each message once, in order, and only from the newest session. */
export function createSession(deliver: (message: SessionMessage, nonce: string) => void): Session {
  const interests = new Set<Interest>();
  let current: Link | undefined;
  let opening: Promise<Link> | undefined;
  let lastHeard = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** How many sessions were lost since the plugin last answered in one. */
  let losses = 0;
  const visibility = watchVisibility(() => void current?.acknowledge());

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
    const link = createLink({ deliver, heard, lost: lose, openedLate }, visibility);
    await link.open();
    use(link);
    return link;
  }

  function use(link: Link): void {
    current = link;
    lastHeard = performance.now();
    // The timer may be running with a longer interval than this session needs.
    clearTimeout(timer);
    timer = undefined;
    schedule();
  }

  function openedLate(link: Link): void {
    if (current || opening) {
      link.retire();
      return;
    }
    use(link);
    renew();
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
    // If the plugin drops every new session at once, wait for the next ping.
    if (interests.size === 0 || losses >= ATTEMPTS) return;
    ensure().then(
      (link) => {
        // If this session was lost in the meantime, `lose` has already called `renew` again.
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
        // `heard` would postpone the ping, which must repeat a lost acknowledgement even while items are being read.
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
