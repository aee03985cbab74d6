import type { Snapshot } from "./client";
import { find } from "./dom";
import { endedBadly, hasEnded } from "./status";

const NAMES = ["cancel", "remove", "hold", "release", "run-next", "retry", "open-log"] as const;
export type ButtonName = (typeof NAMES)[number];

/** How a screen reader's label of each button begins; the task follows. */
const ALOUD: Readonly<Record<ButtonName, string>> = {
  cancel: "Cancel",
  remove: "Remove",
  hold: "Hold",
  release: "Release",
  "run-next": "Run next:",
  retry: "Try again:",
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
      hold: button("hold"),
      release: button("release"),
      "run-next": button("run-next"),
      retry: button("retry"),
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
    const { hold, release, cancel, remove } = this.#buttons;
    [release, hold, cancel, remove].find((button) => !button.hidden)?.focus();
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
    case "hold":
      return waits && !queue.held;
    case "release":
      return waits && queue.held;
    case "run-next":
      // A task that waits for something other than its turn has no place.
      return waits && queue.position !== null && queue.position > 1;
    case "open-log":
      return snapshot.task === "tail" && members.length === 0;
    case "retry":
      // A batch completes when all its members have ended, however they ended, so the members count, too.
      return hasEnded(snapshot) && [snapshot, ...members].some(endedBadly);
  }
}
