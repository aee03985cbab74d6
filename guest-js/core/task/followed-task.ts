import { callGuarded, createListeners, type Listeners } from "../callbacks/listeners.js";
import { createPaced, type Paced } from "../callbacks/paced.js";
import { commands } from "../calls/commands.js";
import { converted, withLate } from "../calls/late.js";
import { OutcomeExpiredError, TaskNotFoundError } from "../errors/task-error.js";
import type {
  Outcome,
  Progress,
  QueuePlace,
  Started,
  TaskEvent,
  TaskSnapshot,
  TaskStatus,
} from "../ipc/bindings.js";
import type { Session } from "../session/session.js";
import { createSubscription, type Subscription } from "../session/subscription.js";
import type { TaskOutcome } from "../types/outcome.js";
import { batchFromWire, expired, fetchOutcome, fromWire } from "./outcome.js";
import { hasEnded, isBatch, isReported, reduce, restore } from "./state.js";
import type { TrackedTask } from "./tracked-task.js";

/** The callbacks from a task to the registry. */
export interface TaskOwner {
  /** Removes the task. Called when nothing more can come, before any callback hears of it. */
  forget(): void;
  /** A call that the page has given up was carried out after all. */
  late(call: LateCall): void;
}

/** A call for a task that was carried out after the page had given it up. */
export interface LateCall {
  /** Whether the plugin sends the task's events since then, or no longer does. */
  readonly command: "watch" | "unwatch";
  readonly id: string;
  readonly nonce: string;
}

/** A task that this page follows, from the first request until it ends or no handle needs it any more. */
export class FollowedTask implements TrackedTask {
  id: string;
  snapshot: TaskSnapshot | undefined;
  phase: TrackedTask["phase"] = "live";
  readonly closed: Promise<void>;
  private close!: () => void;
  private readonly subscription: Subscription<Started, TaskEvent>;
  private readonly owner: TaskOwner;
  private readonly progressed = new Set<Paced<Progress>>();
  private readonly changed = createListeners<[TaskStatus, TaskSnapshot]>();
  private readonly moved = createListeners<[QueuePlace | null]>();
  private readonly over = createListeners<[]>();
  /** The outcome, if it came with the news of the end. */
  private inlined: Outcome | null = null;
  private ending: Promise<TaskOutcome> | undefined;
  /** How often the plugin reports the progress, in milliseconds, as this task has requested it last. */
  private requestedMs = 0;
  /** Resolves when the plugin has been told of the newest pace; `undefined` while none is to be told. */
  private pacing: Promise<void> | undefined;
  private leaving = false;

  constructor(session: Session, id: string, owner: TaskOwner) {
    this.id = id;
    this.owner = owner;
    this.closed = new Promise((resolve) => {
      this.close = resolve;
    });
    this.subscription = createSubscription<Started, TaskEvent>(session, {
      watch: (nonce) => {
        this.requestedMs = this.everyMs();
        return watchTask(nonce, this.id, this.requestedMs);
      },
      restore: (answer) => this.restore(answer),
      apply: (event) => this.apply(event),
      vanished: () => {
        this.finish("vanished");
        for (const paced of this.progressed) paced.flush();
        this.settle();
      },
      // A start may have joined another task.
      unwanted: (nonce, { snapshot }) =>
        this.owner.late({ command: "watch", id: snapshot.id, nonce }),
    });
  }

  /** Makes the first request, `start` or `watch`. If it rejects, with a TaskError, the task is not followed. */
  open(request: (nonce: string) => Promise<Started>, name?: string): Promise<void> {
    return this.subscription.open(request, name);
  }

  receive(event: TaskEvent, nonce: string): void {
    this.subscription.receive(event, nonce);
  }

  /** Resolves when no request for the state is pending. */
  settled(): Promise<void> {
    return this.subscription.settled();
  }

  /** Takes the state from the answer to another request in the same session, unless that state is older. */
  catchUp(answer: TaskSnapshot): void {
    // Of two answers with the same sequence, the one with more progress is newer: within an attempt, progress only grows.
    const known = this.snapshot;
    const isOlder =
      known?.sequence === answer.sequence && known.progress.completed > answer.progress.completed;
    if (!isOlder) this.take(answer, null);
  }

  /**
   * Keeps following a task that is not the requested one, but one that a start joined. With `again`, requests its state
   * once more.
   */
  keep(again: boolean): void {
    this.subscription.stay(again);
  }

  /** Requests the state once more, because some events may not come. */
  repeat(): void {
    this.subscription.repeat();
  }

  /** Stops following such a task, because another `FollowedTask` of this page follows it. */
  drop(): void {
    this.subscription.close();
  }

  /** Stops following a task that nobody holds, and tells the plugin. */
  async leave(): Promise<void> {
    const { id, subscription } = this;
    this.leaving = true;
    subscription.leave();
    // Wait for a pending watch first: the plugin may run the two commands in either order.
    await subscription.settled();
    await this.pacing;
    const { nonce } = subscription;
    subscription.close();
    if (nonce !== undefined) {
      const late = () => this.owner.late({ command: "unwatch", id, nonce });
      await withLate(unwatchTask(nonce, id), late).catch(() => {});
    }
    this.owner.forget();
  }

  onProgress(callback: (progress: Progress) => void, everyMs: number): () => void {
    const paced = createPaced(callback, everyMs);
    const off = this.begin(
      () => {
        this.progressed.add(paced);
        this.keepPace();
        return () => {
          if (this.progressed.delete(paced)) this.keepPace();
        };
      },
      ({ progress }) => {
        if (isReported(progress)) paced.call(progress);
      },
    );
    return () => {
      paced.stop();
      off();
    };
  }

  onStatus(callback: (status: TaskStatus, snapshot: TaskSnapshot) => void): () => void {
    return this.listen<[TaskStatus, TaskSnapshot]>(this.changed, callback, (snapshot) => [
      snapshot.status,
      snapshot,
    ]);
  }

  onQueue(callback: (place: QueuePlace | null) => void): () => void {
    return this.listen<[QueuePlace | null]>(this.moved, callback, ({ queue }) =>
      queue ? [queue] : undefined,
    );
  }

  onOver(callback: () => void): () => void {
    return this.over.add(callback);
  }

  outcome(): Promise<TaskOutcome> {
    this.ending ??= this.findOutcome().catch((error: unknown) => {
      // The outcome could not be fetched now, but perhaps it can be later.
      if (!(error instanceof OutcomeExpiredError)) this.ending = undefined;
      throw error;
    });
    return this.ending;
  }

  /** How often the plugin has to report the progress, in milliseconds: as often as the fastest callback needs it. */
  private everyMs(): number {
    const all = [...this.progressed].map((paced) => paced.everyMs);
    return all.length === 0 ? 0 : Math.min(...all);
  }

  /** Tells the plugin how often to report the progress, if that has changed. */
  private keepPace(): void {
    this.pacing ??= this.requestPace();
  }

  private async requestPace(): Promise<void> {
    const { id, subscription } = this;
    try {
      await subscription.settled();
      while (this.phase === "live" && !this.leaving && this.everyMs() !== this.requestedMs) {
        const { nonce } = subscription;
        // A new session is asked for the newest pace anyway.
        if (nonce === undefined) return;
        this.requestedMs = this.everyMs();
        // The events go on after the answer as before, so it tells nothing new.
        const late = () => this.owner.late({ command: "watch", id, nonce });
        await withLate(watchTask(nonce, id, this.requestedMs), late);
      }
    } catch {
      // Ask for everything again, now or with the next ping.
      if (!this.leaving) subscription.stay(true);
    } finally {
      this.pacing = undefined;
    }
  }

  /** Adds a callback. `newest` returns what it is told first, or `undefined` if there is nothing to tell yet. */
  private listen<A extends unknown[]>(
    listeners: Listeners<A>,
    callback: (...args: A) => void,
    newest: (snapshot: TaskSnapshot) => A | undefined,
  ): () => void {
    return this.begin(
      () => listeners.add(callback),
      (snapshot) => {
        const first = newest(snapshot);
        if (first) callGuarded(callback, ...first);
      },
    );
  }

  /** Adds a callback in the next microtask, when the caller has the function that removes it, and tells it the newest state. */
  private begin(add: () => () => void, tell: (snapshot: TaskSnapshot) => void): () => void {
    let removed = false;
    let remove = () => {};
    queueMicrotask(() => {
      if (removed) return;
      if (this.phase === "live") remove = add();
      if (this.snapshot) tell(this.snapshot);
    });
    return () => {
      removed = true;
      remove();
    };
  }

  private restore({ snapshot, outcome }: Started): void {
    if (snapshot.id !== this.id) {
      this.id = snapshot.id;
      // Another entry of the registry may follow that task, and two requests would take each other's events. So don't
      // renew this one until the registry has checked.
      this.subscription.leave();
    }
    this.take(snapshot, outcome);
  }

  private take(answer: TaskSnapshot, outcome: Outcome | null): void {
    if (this.phase === "live") this.advance(restore(this.snapshot, answer), outcome);
  }

  private apply(event: TaskEvent): void {
    // Until it is answered, a start that may join receives the events of all tasks.
    if (!this.snapshot) return;
    const { change } = event;
    this.advance(
      reduce(this.snapshot, event),
      change.type === "status" ? change.data.outcome : this.inlined,
    );
  }

  /** Moves on to the next state. If it is final, first `phase` says so, then callbacks are called, then `closed` resolves. */
  private advance(next: TaskSnapshot, outcome: Outcome | null): void {
    const before = this.snapshot;
    if (next === before) return;
    this.snapshot = next;
    this.inlined = outcome;
    if (hasEnded(next)) this.finish("ended");
    if (next.progress !== before?.progress) this.tell(next.progress);
    if (this.phase !== "live") for (const paced of [...this.progressed]) paced.flush();
    if (next.queue !== (before?.queue ?? null)) this.moved.emit(next.queue);
    if (next.sequence !== before?.sequence) this.changed.emit(next.status, next);
    if (this.phase !== "live") this.settle();
  }

  private tell(progress: Progress): void {
    for (const paced of [...this.progressed]) {
      // One callback may remove another.
      if (this.progressed.has(paced)) paced.call(progress);
    }
  }

  private finish(phase: "ended" | "vanished"): void {
    this.phase = phase;
    this.subscription.close();
    this.owner.forget();
    this.over.emit();
    this.over.clear();
  }

  private settle(): void {
    this.progressed.clear();
    this.changed.clear();
    this.moved.clear();
    this.close();
  }

  private async findOutcome(): Promise<TaskOutcome> {
    await this.closed;
    if (this.phase === "vanished") throw expired(this.id);
    const found = this.inlined ?? (await fetchOutcome(this.id));
    this.inlined = null;
    return isBatch(this.snapshot) ? batchFromWire(found) : fromWire(found);
  }
}

/**
 * Requests the state of a task and its events, as a start does; progress at most once in `everyMs` milliseconds. Rejects with
 * `notFound` if there is no such task.
 */
export function watchTask(nonce: string, id: string, everyMs = 0): Promise<Started> {
  const target = { type: "task", data: { id } } as const;
  return converted(commands.watch(nonce, target, everyMs), ([snapshot]) => {
    if (!snapshot) throw new TaskNotFoundError(`There is no task ${id}.`);
    return { snapshot, outcome: null };
  });
}

/** Tells the plugin to send no more events of a task. */
export async function unwatchTask(nonce: string, id: string): Promise<void> {
  await commands.unwatch(nonce, { type: "task", data: { id } });
}
