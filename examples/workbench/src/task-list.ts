import type { Snapshot } from "./client";
import { setText } from "./dom";
import { hasEnded } from "./status";
import { type CardActions, TaskCard } from "./task-card";

export interface TaskListParts {
  readonly list: HTMLElement;
  readonly template: HTMLTemplateElement;
  readonly empty: HTMLElement;
  readonly summary: HTMLElement;
  readonly removeEnded: HTMLButtonElement;
  readonly cancelAll: HTMLButtonElement;
}

/** The list of tasks, newest first. Each task has one card, which is kept from one snapshot to the next. */
export class TaskList {
  readonly #cards = new Map<string, TaskCard>();
  readonly #parts: TaskListParts;
  readonly #window: string;
  readonly #actions: CardActions;
  #clock: number | undefined;

  constructor(parts: TaskListParts, windowLabel: string, actions: CardActions) {
    this.#parts = parts;
    this.#window = windowLabel;
    this.#actions = actions;
    parts.removeEnded.addEventListener("click", () => {
      for (const card of this.#cards.values()) {
        if (hasEnded(card.snapshot)) {
          card.press("remove");
        }
      }
    });
  }

  show(snapshots: readonly Snapshot[]): void {
    const { cards, membersOf } = grouped(snapshots);
    const newestFirst = cards.toSorted((a, b) => b.order - a.order);
    this.#dropAllBut(new Set(newestFirst.map(({ id }) => id)));

    let place: Element | null = this.#parts.list.firstElementChild;
    for (const snapshot of newestFirst) {
      const card = this.#cards.get(snapshot.id) ?? this.#add(snapshot);
      card.update(snapshot, membersOf.get(snapshot.id) ?? []);
      // Don't touch a card that is in its place: moving it would lose its focus and its transitions.
      if (card.element === place) {
        place = place.nextElementSibling;
      } else {
        this.#parts.list.insertBefore(card.element, place);
      }
    }

    const ended = newestFirst.filter(hasEnded).length;
    this.#summarize(newestFirst.length - ended, ended);
  }

  #add(snapshot: Snapshot): TaskCard {
    const card = new TaskCard(this.#parts.template, this.#window, snapshot, this.#actions);
    this.#cards.set(snapshot.id, card);
    return card;
  }

  #dropAllBut(ids: ReadonlySet<string>): void {
    for (const [id, card] of this.#cards) {
      if (ids.has(id)) {
        continue;
      }
      const focused = card.element.contains(document.activeElement);
      const neighbour = card.element.nextElementSibling ?? card.element.previousElementSibling;
      card.element.remove();
      this.#cards.delete(id);
      if (focused && neighbour instanceof HTMLElement) {
        this.#cards.get(neighbour.dataset.taskId ?? "")?.focus();
      }
    }
  }

  #summarize(live: number, ended: number): void {
    const { empty, summary, removeEnded, cancelAll } = this.#parts;
    empty.hidden = live + ended > 0;
    removeEnded.disabled = ended === 0;
    cancelAll.disabled = live === 0;
    setText(summary, live + ended === 0 ? "" : `${live} live, ${ended} ended`);
    this.#runClock(live > 0);
  }

  /** Runs the clock only while a task is live. */
  #runClock(run: boolean): void {
    if (run && this.#clock === undefined) {
      this.#clock = window.setInterval(() => {
        for (const card of this.#cards.values()) {
          card.tick();
        }
      }, 500);
    } else if (!run && this.#clock !== undefined) {
      window.clearInterval(this.#clock);
      this.#clock = undefined;
    }
  }
}

interface Grouped {
  /** The tasks that have a card of their own. */
  readonly cards: readonly Snapshot[];
  /** The members of each batch, in the order of its inputs, which is also the order of the list. */
  readonly membersOf: ReadonlyMap<string, readonly Snapshot[]>;
}

/** Groups members under their batches. A member that is kept longer than its batch has a card of its own. */
function grouped(snapshots: readonly Snapshot[]): Grouped {
  const batches = new Set(snapshots.filter(({ members }) => members !== null).map(({ id }) => id));
  const cards: Snapshot[] = [];
  const membersOf = new Map<string, Snapshot[]>();
  for (const snapshot of snapshots) {
    const { parent } = snapshot;
    if (parent === null || (!batches.has(parent) && hasEnded(snapshot))) {
      cards.push(snapshot);
    } else {
      const members = membersOf.get(parent);
      if (members === undefined) {
        membersOf.set(parent, [snapshot]);
      } else {
        members.push(snapshot);
      }
    }
  }
  return { cards, membersOf };
}
