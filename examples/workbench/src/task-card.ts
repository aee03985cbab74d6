import type { TaskStatus } from "tauri-plugin-tasks-api";
import type { Snapshot } from "./client";
import { find, setAttribute, setText } from "./dom";
import { amount, duration, elapsed, percent, rate, timeLeft } from "./format";
import { kindName, remark, statusName, subject } from "./sentences";

const ENDED: ReadonlySet<TaskStatus> = new Set<TaskStatus>([
  "completed",
  "failed",
  "cancelled",
  "timedOut",
]);

export const hasEnded = (snapshot: Snapshot): boolean => ENDED.has(snapshot.status);

/** What a card can ask for. */
export interface CardActions {
  cancel(snapshot: Snapshot): void;
  remove(snapshot: Snapshot): void;
  /** Why a task failed: a snapshot only has a summary, the typed error has to be asked for. */
  explain(snapshot: Snapshot): Promise<string>;
}

/** One task on the screen. Its nodes are made once; an update touches only those that change. */
export class TaskCard {
  readonly element: HTMLLIElement;
  #snapshot: Snapshot;
  readonly #window: string;
  readonly #actions: CardActions;
  #explained = false;
  readonly #owner: HTMLElement;
  readonly #status: HTMLElement;
  readonly #bar: HTMLElement;
  readonly #fill: HTMLElement;
  readonly #percent: HTMLElement;
  readonly #amount: HTMLElement;
  readonly #rate: HTMLElement;
  readonly #eta: HTMLElement;
  readonly #time: HTMLElement;
  readonly #message: HTMLElement;
  readonly #error: HTMLElement;
  readonly #cancel: HTMLButtonElement;
  readonly #remove: HTMLButtonElement;

  constructor(
    template: HTMLTemplateElement,
    windowLabel: string,
    snapshot: Snapshot,
    actions: CardActions,
  ) {
    const card = document.importNode(template.content, true);
    this.element = find(card, ".card", HTMLLIElement);
    this.#snapshot = snapshot;
    this.#window = windowLabel;
    this.#actions = actions;
    this.#owner = find(card, "[data-part=owner]", HTMLElement);
    this.#status = find(card, "[data-testid=status]", HTMLElement);
    this.#bar = find(card, "[data-testid=bar]", HTMLElement);
    this.#fill = find(card, ".bar-fill", HTMLElement);
    this.#percent = find(card, "[data-part=percent]", HTMLElement);
    this.#amount = find(card, "[data-part=amount]", HTMLElement);
    this.#rate = find(card, "[data-part=rate]", HTMLElement);
    this.#eta = find(card, "[data-part=eta]", HTMLElement);
    this.#time = find(card, "[data-part=time]", HTMLElement);
    this.#message = find(card, "[data-part=message]", HTMLElement);
    this.#error = find(card, "[data-part=error]", HTMLElement);
    this.#cancel = find(card, "[data-testid=cancel]", HTMLButtonElement);
    this.#remove = find(card, "[data-testid=remove]", HTMLButtonElement);

    // What never changes.
    const name = kindName(snapshot.task);
    const { short, full } = subject(snapshot);
    const label = short === "" ? name : `${name}: ${short}`;
    this.element.dataset.taskId = snapshot.id;
    this.element.dataset.task = snapshot.task;
    find(card, ".kind use", SVGUseElement).setAttribute("href", `#icon-${snapshot.task}`);
    find(card, "[data-part=name]", HTMLElement).textContent = name;
    const what = find(card, "[data-part=subject]", HTMLElement);
    what.textContent = short;
    what.title = full;
    this.#bar.setAttribute("aria-label", label);
    this.#cancel.setAttribute("aria-label", `Cancel ${label}`);
    this.#remove.setAttribute("aria-label", `Remove ${label}`);

    this.#cancel.addEventListener("click", () => actions.cancel(this.#snapshot));
    this.#remove.addEventListener("click", () => actions.remove(this.#snapshot));
    this.update(snapshot);
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  update(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    const { status, overdue, progress, owner } = snapshot;
    const ended = hasEnded(snapshot);

    setAttribute(this.element, "data-status", status);
    setAttribute(this.element, "data-overdue", String(overdue));
    setText(this.#status, statusName(status, overdue));

    // A task of a window that was closed belongs to the app.
    this.#owner.hidden = owner === this.#window;
    setText(this.#owner, owner === null ? "from the app" : `from ${owner}`);

    this.#showBar(snapshot, ended);
    setText(this.#amount, amount(progress));
    // A task that is about to stop gets no further; one that doesn't stop does.
    const advances = status === "running" || (overdue && !ended);
    setText(this.#rate, advances ? rate(progress) : "");
    setText(this.#eta, advances ? timeLeft(progress) : "");
    this.tick();

    setText(this.#message, remark(snapshot));
    if ((status === "failed" || status === "timedOut") && !this.#explained) {
      this.#explained = true;
      void this.#explain(snapshot);
    }

    this.#showActions(ended, status === "cancelling");
  }

  /** Shows how long it has been going: the one thing that changes without news from Rust. */
  tick(): void {
    const { status, startedAt, createdAt, endedAt } = this.#snapshot;
    const since = startedAt ?? createdAt;
    const word = status === "queued" ? "waiting" : "for";
    const text =
      endedAt === null ? `${word} ${elapsed(since)}` : `took ${duration(endedAt - since)}`;
    setText(this.#time, text);
  }

  /** Puts the focus on the button that can be used. */
  focus(): void {
    (this.#cancel.hidden ? this.#remove : this.#cancel).focus();
  }

  async #explain(snapshot: Snapshot): Promise<void> {
    setText(this.#error, await this.#actions.explain(snapshot));
    this.#error.hidden = false;
  }

  #showBar({ status, progress }: Snapshot, ended: boolean): void {
    const known = status === "completed" ? 1 : progress.fraction;
    const unknown = known === null && !ended && status !== "queued";
    setAttribute(this.#bar, "data-indeterminate", String(unknown));
    setAttribute(
      this.#bar,
      "aria-valuenow",
      unknown ? null : String(Math.floor((known ?? 0) * 100)),
    );
    this.#fill.style.transform = unknown ? "" : `scaleX(${known ?? 0})`;
    setText(this.#percent, known === null ? "" : percent(known));
  }

  #showActions(ended: boolean, cancelling: boolean): void {
    const focused = document.activeElement === this.#cancel;
    this.#cancel.disabled = cancelling;
    this.#cancel.hidden = ended;
    this.#remove.hidden = !ended;
    if (focused && ended) {
      this.#remove.focus(); // whoever works with the keyboard stays on this card
    }
  }
}
