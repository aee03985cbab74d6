import { createTasks, TaskFailedError, type TaskOutcome } from "tauri-plugin-tasks-api";
import type { Count, CountError, Tasks } from "./tasks.gen";

const tasks = createTasks<Tasks>();

const form = document.querySelector<HTMLFormElement>("#count-form")!;
const path = document.querySelector<HTMLInputElement>("#path")!;
const count = document.querySelector<HTMLButtonElement>("#count")!;
const cancel = document.querySelector<HTMLButtonElement>("#cancel")!;
const bar = document.querySelector<HTMLProgressElement>("#bar")!;
const message = document.querySelector<HTMLElement>("#message")!;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const abort = new AbortController();
  cancel.onclick = () => abort.abort();
  setRunning(true);
  try {
    const task = await tasks.start("count-words", { path: path.value }, { signal: abort.signal });
    task.onProgress((progress) => {
      bar.value = progress.fraction ?? 0;
    });
    const outcome = await task.outcome;
    if (outcome.status === "completed") bar.value = 1; // An empty file has no fraction.
    message.textContent = inWords(outcome);
  } catch (error) {
    // It was not started, for example because a permission is missing. The message says what to do.
    message.textContent = String(error);
  } finally {
    setRunning(false);
  }
});

function inWords(outcome: TaskOutcome<Count, CountError>): string {
  switch (outcome.status) {
    case "completed":
      return `Words: ${outcome.output.words}, lines: ${outcome.output.lines}`;
    case "failed":
      return outcome.error instanceof TaskFailedError
        ? reason(outcome.error.error)
        : outcome.error.message;
    default:
      return "Cancelled";
  }
}

function reason(error: CountError): string {
  switch (error.type) {
    case "notFound":
      return "There is no such file";
    case "io":
      return `The file can't be read: ${error.data}`;
  }
}

function setRunning(running: boolean): void {
  count.disabled = running;
  cancel.disabled = !running;
  if (running) {
    message.textContent = "";
    bar.value = 0;
  }
}
