import { type ButtonName, CardButtons } from "./card-buttons";
import type { Snapshot } from "./client";
import { find, setAttribute, setText } from "./dom";
import { amount, duration, elapsed, percent, rate, timeLeft } from "./format";
import { MemberGrid } from "./member-grid";
import {
  attempts,
  batchProblem,
  kindName,
  place,
  priority,
  problem,
  remark,
  statusName,
  subject,
  tally,
} from "./sentences";
import { hasEnded } from "./status";

/** What a card needs from the page. */
export interface CardActions {
  /** Called when a button is pressed. `members` are those of a batch. */
  press(name: ButtonName, snapshot: Snapshot, members: readonly Snapshot[]): void;
  /** Returns why a task failed. A snapshot has only a summary; the typed error has to be fetched. */
  explain(snapshot: Snapshot): Promise<string>;
}

/** The texts of a card that `update` and `tick` set. */
const TEXTS = [
  "place",
  "priority",
  "percent",
  "amount",
  "rate",
  "eta",
  "attempts",
  "time",
  "message",
  "error",
  "owner",
] as const;
type TextName = (typeof TEXTS)[number];

/** One task on the screen, or a batch with all its members. Its nodes are created once, and an update touches only those that change. */
export class TaskCard {
  readonly element: HTMLLIElement;
  #snapshot: Snapshot;
  #members: readonly Snapshot[] = [];
  readonly #window: string;
  readonly #actions: CardActions;
  /** Why the task failed, once that has been fetched. */
  #reason: string | undefined;
  readonly #status: HTMLElement;
  readonly #bar: HTMLElement;
  readonly #fill: HTMLElement;
  readonly #texts: Readonly<Record<TextName, HTMLElement>>;
  readonly #grid: MemberGrid;
  readonly #buttons: CardButtons;

  constructor(
    template: HTMLTemplateElement,
    windowLabel: string,
    snapshot: Snapshot,
    actions: CardActions,
  ) {
    const card = document.importNode(template.content, true);
    const part = (name: string): HTMLElement => find(card, `[data-part=${name}]`, HTMLElement);
    this.element = find(card, ".card", HTMLLIElement);
    this.#snapshot = snapshot;
    this.#window = windowLabel;
    this.#actions = actions;
    this.#status = find(card, "[data-testid=status]", HTMLElement);
    this.#bar = find(card, "[data-testid=bar]", HTMLElement);
    this.#fill = find(card, ".bar-fill", HTMLElement);
    this.#texts = {
      place: part("place"),
      priority: part("priority"),
      percent: part("percent"),
      amount: part("amount"),
      rate: part("rate"),
      eta: part("eta"),
      attempts: part("attempts"),
      time: part("time"),
      message: part("message"),
      error: part("error"),
      owner: part("owner"),
    };

    // These parts never change.
    const name = kindName(snapshot);
    const { short, full } = subject(snapshot);
    const label = short === "" ? name : `${name}: ${short}`;
    this.element.dataset.taskId = snapshot.id;
    this.element.dataset.task = snapshot.task;
    find(card, ".kind use", SVGUseElement).setAttribute("href", `#icon-${snapshot.task}`);
    part("name").textContent = name;
    part("subject").textContent = short;
    part("subject").title = full;
    this.#bar.setAttribute("aria-label", label);
    const members = part("members");
    members.hidden = snapshot.members === null;
    members.setAttribute("aria-label", `Members of ${label}`);
    this.#grid = new MemberGrid(members);
    this.#buttons = new CardButtons(card, label, (button) => this.press(button));
    this.update(snapshot, []);
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Does what a button of the card does. */
  press(name: ButtonName): void {
    this.#actions.press(name, this.#snapshot, this.#members);
  }

  update(snapshot: Snapshot, members: readonly Snapshot[]): void {
    this.#snapshot = snapshot;
    this.#members = members;
    const { status, overdue, progress, owner } = snapshot;
    const ended = hasEnded(snapshot);

    setAttribute(this.element, "data-status", status);
    setAttribute(this.element, "data-overdue", String(overdue));
    setText(this.#status, statusName(status, overdue));

    // A task of a window that was closed belongs to the app.
    this.#texts.owner.hidden = owner === this.#window;
    this.#say("owner", owner === null ? "from the app" : `from ${owner}`);

    this.#showBar(snapshot, ended);
    this.#say("place", place(snapshot));
    this.#say("priority", priority(snapshot));
    this.#say("amount", amount(progress));
    // A cancelled task makes no more progress, unless it is overdue and its code still runs.
    const advances = status === "running" || (overdue && !ended);
    this.#say("rate", advances ? rate(progress) : "");
    this.#say("eta", advances ? timeLeft(progress) : "");
    this.tick();

    if (snapshot.members === null) {
      this.#say("message", remark(snapshot));
    } else {
      this.#grid.show(members);
      this.#say("message", tally(members, snapshot.members));
    }
    this.#showProblem(snapshot);
    this.#buttons.show(snapshot, members);
  }

  /** Updates what changes without an event from Rust: the time since the start, and the time until the next attempt. */
  tick(): void {
    const { status, startedAt, createdAt, endedAt } = this.#snapshot;
    const since = startedAt ?? createdAt;
    const word = startedAt === null && status === "queued" ? "waiting" : "for";
    this.#say(
      "time",
      endedAt === null ? `${word} ${elapsed(since)}` : `took ${duration(endedAt - since)}`,
    );
    this.#say("attempts", attempts(this.#snapshot));
  }

  /** Puts the focus on a button that can be used. */
  focus(): void {
    this.#buttons.focus();
  }

  #say(name: TextName, text: string): void {
    setText(this.#texts[name], text);
  }

  #showProblem(snapshot: Snapshot): void {
    if (snapshot.status === "failed" && this.#reason === undefined) {
      this.#reason = "";
      void this.#explain(snapshot);
    }
    const text = this.#reason || problem(snapshot) || batchProblem(this.#members);
    this.#say("error", text);
    this.#texts.error.hidden = text === "";
  }

  async #explain(snapshot: Snapshot): Promise<void> {
    this.#reason = await this.#actions.explain(snapshot);
    this.#showProblem(snapshot);
  }

  #showBar({ status, progress }: Snapshot, ended: boolean): void {
    const known = status === "completed" ? 1 : progress.fraction;
    // Nothing runs between two attempts either.
    const still = ended || status === "queued" || status === "retrying";
    const unknown = known === null && !still;
    setAttribute(this.#bar, "data-indeterminate", String(unknown));
    setAttribute(
      this.#bar,
      "aria-valuenow",
      unknown ? null : String(Math.floor((known ?? 0) * 100)),
    );
    this.#fill.style.transform = unknown ? "" : `scaleX(${known ?? 0})`;
    this.#say("percent", known === null || status === "queued" ? "" : percent(known));
  }
}
