import type { Snapshot } from "./client";
import { find } from "./dom";
import { endedBadly, hasEnded } from "./status";

const NAMES = ["cancel", "remove", "pause", "resume", "run-next", "rerun", "open-log"] as const;
export type ButtonName = (typeof NAMES)[number];

/** How a screen reader's label of each button begins; the task follows. */
const ALOUD: Readonly<Record<ButtonName, string>> = {
  cancel: "Cancel",
  remove: "Remove",
  pause: "Pause",
  resume: "Resume",
  "run-next": "Run next:",
  rerun: "Try again:",
  "open-log": "Open log:",
};

/** The buttons of a card. Only those that can be used are shown. */
export class CardButtons {
  readonly #buttons: Readonly<Record<ButtonName, HTMLButtonElement>>;

  constructor(card: ParentNode, label: string, press: (name: ButtonName) => void) {
    const button = (name: ButtonName): HTMLButtonElement => {
      const element = find(card, `[data-testid=${name}]`, HTMLButtonElement);
      element.setAttribute("aria-label", `${ALOUD[name]} ${label}`);
      element.addEventListener("click", () => press(name));
      return element;
    };
    this.#buttons = {
      cancel: button("cancel"),
      remove: button("remove"),
      pause: button("pause"),
      resume: button("resume"),
      "run-next": button("run-next"),
      rerun: button("rerun"),
      "open-log": button("open-log"),
    };
  }

  show(snapshot: Snapshot, members: readonly Snapshot[]): void {
    const focused = NAMES.find((name) => this.#buttons[name] === document.activeElement);
    for (const name of NAMES) {
      this.#buttons[name].hidden = !isOfUse(name, snapshot, members);
    }
    this.#buttons.cancel.disabled = snapshot.status === "cancelling";
    // Keeps the keyboard focus on this card.
    if (focused !== undefined && this.#buttons[focused].hidden) {
      this.focus();
    }
  }

  /** Puts the focus on a button that can be used. */
  focus(): void {
    const { pause, resume, cancel, remove } = this.#buttons;
    [resume, pause, cancel, remove].find((button) => !button.hidden)?.focus();
  }
}

function isOfUse(name: ButtonName, snapshot: Snapshot, members: readonly Snapshot[]): boolean {
  const { status, queue } = snapshot;
  const waits = status === "queued" && queue !== null;
  switch (name) {
    case "cancel":
      return !hasEnded(snapshot);
    case "remove":
      return hasEnded(snapshot);
    case "pause":
      return waits && !queue.held;
    case "resume":
      return waits && queue.held;
    case "run-next":
      // A task that waits for something other than its turn has no place.
      return waits && queue.position !== null && queue.position > 1;
    case "open-log":
      return snapshot.task === "tail" && members.length === 0;
    case "rerun":
      // A batch completes when all its members have ended, however they ended, so the members count, too.
      return hasEnded(snapshot) && [snapshot, ...members].some(endedBadly);
  }
}
