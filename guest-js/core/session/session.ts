import { Channel } from "@tauri-apps/api/core";
import { v7 as uuid } from "uuid";
import { type TaskError, toTaskError } from "../errors/errors.js";
import { commands, type SessionMessage } from "../ipc/bindings.js";

/** The wire protocol this package speaks. */
export const PROTOCOL = 4;
/** After this long without a word, the client asks whether its session is still there. */
export const PING_MS = 10_000;
/** How often in a row a new session may be gone before that is an error. */
const ATTEMPTS = 3;

/** Something the plugin pushes to this page, which every new session has to ask for again. */
export interface Interest {
  /** Whether it is of another session than this one, and not being renewed already. */
  isStale(nonce: string): boolean;
  /** Never rejects: what can't be done now is done at the next ping. */
  renew(): Promise<void>;
}

/** The page's connection to the plugin: opened when first needed, opened anew when the plugin has dropped it. */
export interface Session {
  /**
   * Runs a command that needs the session, again in a new one if it was gone. Rejects with a {@link TaskError}.
   * `task` is for the hint in a refusal.
   */
  call<T>(
    send: (nonce: string) => Promise<T>,
    task?: string,
  ): Promise<{ readonly value: T; readonly nonce: string }>;
  /** The session there is, opened if there is none. Rejects with a {@link TaskError}. */
  open(): Promise<string>;
  /**
   * Runs a command that only this session can run: never again in another one. It need not be the current one, as the plugin
   * may still have a session that this page has given up. Rejects with a {@link TaskError}.
   */
  callIn<T>(nonce: string, send: () => Promise<T>): Promise<T>;
  isCurrent(nonce: string): boolean;
  /** While there is any interest, the session is kept alive. */
  add(interest: Interest): void;
  delete(interest: Interest): void;
  /** Brings every stale interest up to date. */
  renew(): void;
  /** How many interests there are. */
  readonly size: number;
}

interface Link {
  readonly nonce: string;
  readonly channel: Channel<SessionMessage>;
  pingMs: number;
  /** Number of the last message that was handled. */
  seen: number;
  /** The message whose acknowledgement is on its way. */
  acking: number | undefined;
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
    const link: Link = {
      nonce: uuid(),
      channel: new Channel<SessionMessage>((message) => receive(link, message)),
      pingMs: PING_MS,
      seen: 0,
      acking: undefined,
    };
    try {
      const info = await commands.open(link.nonce, PROTOCOL, link.channel);
      // An unanswered message must be noticed well within the lease.
      link.pingMs = Math.max(1_000, Math.min(PING_MS, info.leaseMs / 3));
    } catch (rejection) {
      retire(link);
      throw toTaskError(rejection);
    }
    current = link;
    lastHeard = performance.now();
    // The timer that runs may be of a longer interval.
    clearTimeout(timer);
    timer = undefined;
    schedule();
    return link;
  }

  /** Tauri keeps the channel's callback until Rust drops the channel; it shall not keep more than that. */
  function retire(link: Link): void {
    link.channel.onmessage = () => {};
  }

  function lose(link: Link): void {
    if (current !== link) return;
    retire(link);
    current = undefined;
    losses += 1;
    renew();
  }

  function receive(link: Link, message: SessionMessage): void {
    if (link !== current) return;
    heard();
    if (message.message > link.seen + 1) {
      // One got lost, and with it perhaps the end of a task: only a new session brings everything up to date.
      lose(link);
      return;
    }
    if (message.message <= link.seen) {
      // A repeat. If it is the newest message, the acknowledgement may have been lost.
      if (message.message === link.seen && link.acking !== link.seen) void acknowledge(link);
      return;
    }
    link.seen = message.message;
    try {
      deliver(message, link.nonce);
    } finally {
      void acknowledge(link);
    }
  }

  /** Never rejects: a lost acknowledgement is repeated by the next ping. */
  async function acknowledge(link: Link): Promise<void> {
    const message = link.seen;
    link.acking = message;
    let next: SessionMessage | null = null;
    try {
      next = await commands.ack(link.nonce, message);
      if (link === current) heard();
    } catch (rejection) {
      if (toTaskError(rejection).kind === "sessionGone") lose(link);
    }
    if (link.acking === message) link.acking = undefined;
    if (next) receive(link, next);
  }

  function schedule(delay = current?.pingMs ?? PING_MS): void {
    if (timer === undefined && interests.size > 0) timer = setTimeout(tick, delay);
  }

  function tick(): void {
    timer = undefined;
    losses = 0;
    const rest = current ? lastHeard + current.pingMs - performance.now() : 0;
    if (current && rest <= 0) void acknowledge(current);
    renew();
    schedule(rest > 0 ? rest : undefined);
  }

  function renew(): void {
    // A plugin that drops each new session at once is not asked again before the next ping.
    if (interests.size === 0 || losses >= ATTEMPTS) return;
    ensure().then(
      (link) => {
        // Lost meanwhile: whoever noticed has called `renew` again.
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
        // Not `heard`: a ping has to repeat an acknowledgement that got lost, however much is read meanwhile.
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
