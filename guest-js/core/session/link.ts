import { Channel } from "@tauri-apps/api/core";
import { v7 as uuid } from "uuid";
import { commands, acknowledge as sendAck } from "../calls/commands.js";
import { isUnanswered, withLate } from "../calls/late.js";
import { toTaskError } from "../errors/from-rejection.js";
import type { SessionInfo, SessionMessage, Visibility } from "../ipc/bindings.js";
import type { PageVisibility } from "./visibility.js";

/**
 * The wire protocol this package speaks. It goes up only if an old client would misread what it gets: this client leaves out fields,
 * kinds of event and statuses that it doesn't know.
 */
export const PROTOCOL = 5;
/** How long the plugin may be silent before the client pings it to find out whether the session still exists. */
export const PING_MS = 10_000;

/** One session with the plugin, from opening it until it is lost. */
export interface Link {
  readonly nonce: string;
  /** How long the plugin may be silent in this session before it is pinged, in milliseconds. */
  readonly pingMs: number;
  /** Opens the session. If it rejects, with a TaskError, the link is retired, unless the session may still be opened. */
  open(): Promise<void>;
  /**
   * Acknowledges the newest message, even if it was acknowledged before, and tells whether the page can be seen. Never rejects: the next
   * ping repeats a lost call.
   */
  acknowledge(): Promise<void>;
  /** Ends the link: messages that still arrive are ignored. */
  retire(): void;
}

/** The callbacks from a link to the session that owns it. */
export interface LinkOwner {
  /** Takes each message, once and in order. */
  deliver(message: SessionMessage, nonce: string): void;
  /** The plugin has sent something or has answered. */
  heard(): void;
  /** The plugin has dropped the session, or a message was lost. */
  lost(link: Link): void;
  /** The plugin has opened the session after `open` has rejected. */
  openedLate(link: Link): void;
}

export function createLink(owner: LinkOwner, visibility: PageVisibility): Link {
  const nonce = uuid();
  const channel = new Channel<string>(receive);
  let pingMs = PING_MS;
  let isOpen = false;
  let isRetired = false;
  /** The message that came before the answer to `open`. Until it is acknowledged, the plugin sends no other. */
  let early: string | undefined;
  /** The number of the last message that was handled. */
  let seen = 0;
  /** The number of the message whose acknowledgement is pending. */
  let acking: number | undefined;

  /** Takes a message as it travels. It is parsed here, since Tauri may have evaluated what carried it as JavaScript. */
  function receive(text: string): void {
    if (!isOpen) {
      if (!isRetired) early = text;
      return;
    }
    const message = JSON.parse(text) as SessionMessage;
    owner.heard();
    if (message.message > seen + 1) {
      // A message was lost, perhaps one with the end of a task. Only a new session brings everything up to date.
      owner.lost(link);
      return;
    }
    if (message.message <= seen) {
      // A repeat. If it is the newest message, the acknowledgement may have been lost.
      if (message.message === seen && acking !== seen) void acknowledge();
      return;
    }
    seen = message.message;
    try {
      owner.deliver(message, nonce);
    } finally {
      void acknowledge();
    }
  }

  async function acknowledge(): Promise<void> {
    const message = seen;
    acking = message;
    let next: string | null = null;
    try {
      const reply = await sendAck(receive, nonce, message, visibility.current);
      next = reply.next;
      if (reply.answered && isOpen) owner.heard();
    } catch (rejection) {
      if (toTaskError(rejection).kind === "sessionGone") owner.lost(link);
    }
    if (acking === message) acking = undefined;
    if (next !== null) receive(next);
  }

  function begin({ leaseMs }: SessionInfo): void {
    // A lost acknowledgement must be repeated well before the lease runs out.
    pingMs = Math.max(1_000, Math.min(PING_MS, leaseMs / 3));
    isOpen = true;
  }

  /** Handles what has happened since `open` was sent. `told` is what the plugin was told with it. */
  function catchUp(told: Visibility): void {
    if (!isOpen) return;
    const sooner = early;
    early = undefined;
    if (sooner !== undefined) receive(sooner);
    else if (visibility.current !== told) void acknowledge();
  }

  function beginLate(answer: SessionInfo, told: Visibility): void {
    begin(answer);
    owner.openedLate(link);
    catchUp(told);
  }

  function retire(): void {
    isOpen = false;
    isRetired = true;
    early = undefined;
    // Tauri keeps the callback until Rust drops the channel, so it must not keep anything else alive.
    channel.onmessage = () => {};
  }

  const link: Link = {
    nonce,
    get pingMs() {
      return pingMs;
    },
    async open() {
      try {
        const told = visibility.current;
        const answer = commands.open(nonce, PROTOCOL, channel, told);
        begin(await withLate(answer, (late) => beginLate(late, told)));
        catchUp(told);
      } catch (rejection) {
        if (!isUnanswered(rejection)) retire();
        throw toTaskError(rejection);
      }
    },
    acknowledge,
    retire,
  };
  return link;
}
