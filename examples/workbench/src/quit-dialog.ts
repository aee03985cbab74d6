import { answerQuit, onQuitAsked, type QuitChoice, type QuitQuestion, quitWaitsFor } from "./app";
import { find, setText } from "./dom";
import { percent } from "./format";
import { quitHint, quitLine, quitTitle } from "./sentences";

/** How often the open dialog fetches the tasks that the quit waits for: this page doesn't see those of other windows. */
const REPEAT_MS = 500;

const CHOICES: readonly QuitChoice[] = ["wait", "cancel", "stay"];

/** Asks what to do with the work that a quit would cut short. */
export function setUpQuitDialog(dialog: HTMLDialogElement, tell: (error: unknown) => void): void {
  const part = (name: string): HTMLElement => find(dialog, `[data-part=${name}]`, HTMLElement);
  let timer: number | undefined;
  let refreshes = 0;
  let newest = 0;

  function show({ decided, tasks }: QuitQuestion): void {
    setText(part("title"), quitTitle(tasks.length, decided));
    setText(part("hint"), quitHint(decided));
    part("choices").hidden = decided;
    part("tasks").replaceChildren(
      ...tasks.map((task) => {
        const line = document.createElement("li");
        const { fraction } = task.progress;
        line.textContent = quitLine(task, fraction === null ? "" : percent(fraction));
        return line;
      }),
    );
    if (!dialog.open) {
      dialog.showModal();
    }
  }

  async function refresh(): Promise<void> {
    window.clearTimeout(timer);
    refreshes += 1;
    const number = refreshes;
    const question = await quitWaitsFor();
    if (number < newest) {
      return;
    }
    newest = number;
    window.clearTimeout(timer);
    if (question === null) {
      dialog.close();
      return;
    }
    show(question);
    timer = window.setTimeout(() => void refresh().catch(tell), REPEAT_MS);
  }

  for (const choice of CHOICES) {
    const button = find(dialog, `[data-choice=${choice}]`, HTMLButtonElement);
    button.addEventListener("click", () => void answerQuit(choice).then(refresh).catch(tell));
  }
  // Escape means to stay, unless the user has already decided.
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    void answerQuit("stay").then(refresh).catch(tell);
  });
  // The question may already be open when this page is loaded. Listening before asking makes sure that none is missed.
  void onQuitAsked(() => void refresh().catch(tell))
    .then(refresh)
    .catch(tell);
}
