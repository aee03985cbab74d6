import { answerQuit, onQuitAsked, type QuitChoice, type QuitQuestion, quitWaitsFor } from "./app";
import { find, setText } from "./dom";
import { percent } from "./format";
import { quitHint, quitLine, quitTitle } from "./sentences";

/** While it is open, what is waited for is asked for again after this time: other windows' tasks are in it too. */
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
  // Escape stays, unless it is decided.
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    void answerQuit("stay").then(refresh).catch(tell);
  });
  // This page may have been loaded while the question is open; looked for in this order, none is missed.
  void onQuitAsked(() => void refresh().catch(tell))
    .then(refresh)
    .catch(tell);
}
