import {
  type BatchHandle,
  TaskFailedError,
  type TaskHandle,
  TaskNotFoundError,
  type TaskOutcome,
  type TaskTypes,
} from "tauri-plugin-tasks-api";
import { type Snapshot, tasks } from "./client";
import { setText } from "./dom";
import type { Notify } from "./notice";
import {
  batchDone,
  downloadProblem,
  errorSentence,
  folderProblem,
  isForgotten,
  jobProblem,
  sentence,
  tailProblem,
} from "./sentences";
import type { Tasks } from "./tasks.gen";

/** Attaches to a task or a batch of the list, for the buttons of its card. */
const handleOf = ({ task, id, members }: Snapshot) =>
  members === null ? tasks.attach(task, id) : tasks.attachBatch(task, id);

export const cancel = async (snapshot: Snapshot): Promise<void> =>
  (await handleOf(snapshot)).cancel();

// The following functions are for tasks only: a batch doesn't wait in a queue, its members do.

export const pause = async ({ task, id }: Snapshot): Promise<void> =>
  (await tasks.attach(task, id)).pause();

export const resume = async ({ task, id }: Snapshot): Promise<void> =>
  (await tasks.attach(task, id)).resume();

/** Puts a waiting task ahead of all waiting tasks that this page sees. */
export async function runNext({ task, id }: Snapshot): Promise<void> {
  const { tasks: waiting } = await tasks.list({ status: "queued" }, { limit: 10_000 });
  const highest = Math.max(0, ...waiting.map(({ queue }) => queue?.priority ?? 0));
  await (await tasks.attach(task, id)).setPriority(highest + 1);
}

/** Removes ended tasks from the list. */
export async function remove(...snapshots: readonly Snapshot[]): Promise<void> {
  for (const snapshot of snapshots) {
    try {
      await (await handleOf(snapshot)).remove();
    } catch (error) {
      // This was a second click, before the list was updated after the first.
      if (!(error instanceof TaskNotFoundError)) throw error;
    }
  }
}

/** Says why a task failed, in a sentence. The list has only a summary of the error; the typed error comes with the outcome. */
export async function explain({ task, id, error, members }: Snapshot): Promise<string> {
  try {
    if (members !== null) {
      return inWords(await (await tasks.attachBatch(task, id)).outcome, errorSentence);
    }
    switch (task) {
      case "download":
        return inWords(await (await tasks.attach(task, id)).outcome, downloadProblem);
      case "hash-folder":
        return inWords(await (await tasks.attach(task, id)).outcome, folderProblem);
      case "job":
        return inWords(await (await tasks.attach(task, id)).outcome, jobProblem);
      case "tail":
        return inWords(await (await tasks.attach(task, id)).outcome, tailProblem);
      case "secret":
        return inWords(await (await tasks.attach(task, id)).outcome, errorSentence);
    }
  } catch (problem) {
    // The plugin doesn't keep outcomes for ever. Without one, the summary has to do.
    return error === null ? errorSentence(problem) : sentence(error.message);
  }
}

function inWords<E>(outcome: TaskOutcome<unknown, E>, words: (error: E) => string): string {
  switch (outcome.status) {
    case "completed":
      return "";
    case "failed":
      return outcome.error instanceof TaskFailedError
        ? words(outcome.error.error)
        : errorSentence(outcome.error);
    default:
      return errorSentence(outcome.error);
  }
}

/** The words for a task that this page started. */
export interface Words<T extends TaskTypes> {
  /** What it is, such as `Download of notes.txt`. */
  readonly label: string;
  /** The sentence for what it returned. */
  done(output: T["output"]): string;
  /** The sentence for the error it returned. */
  failed(error: T["error"]): string;
}

export type Follow = <T extends TaskTypes>(task: TaskHandle<T>, words: Words<T>) => Promise<void>;

/**
 * Returns a function that follows a task that this page started: it shows the newest task's progress in `line`, and the end of
 * each task in a notice.
 *
 * It is a convenience: the list shows all of this as well, even after a reload.
 */
export function createFollow(line: HTMLElement, notify: Notify): Follow {
  let newest: string | undefined;

  return async <T extends TaskTypes>(
    task: TaskHandle<T>,
    { label, done, failed }: Words<T>,
  ): Promise<void> => {
    newest = task.id;
    const show = (text: string): void => {
      if (newest === task.id) {
        setText(line, text);
      }
    };
    show(label);
    task.onProgress(({ fraction }) =>
      show(fraction === null ? label : `${label}: ${Math.floor(fraction * 100)}%`),
    );
    try {
      notify(sentence(done(await task.result)), "good");
    } catch (error) {
      await tellFailure(error);
    }
    show("");

    async function tellFailure(error: unknown): Promise<void> {
      if (isForgotten(error)) {
        return;
      }
      // TypeScript can't type what a promise rejects with; the outcome is typed.
      const why =
        error instanceof TaskFailedError
          ? inWords(await task.outcome, failed)
          : errorSentence(error);
      notify(`${label}: ${why}`, task.status === "cancelled" ? "info" : "bad");
    }
  };
}

/** Shows the end of a batch that this page started in a notice. */
export async function tellBatch(
  batch: BatchHandle<Tasks["download"]>,
  label: string,
  notify: Notify,
): Promise<void> {
  try {
    const results = await batch.result;
    const done = results.filter(({ status }) => status === "fulfilled").length;
    notify(batchDone(label, done, results.length), done === results.length ? "good" : "bad");
  } catch (error) {
    if (!isForgotten(error)) {
      const why = errorSentence(error);
      notify(`${label}: ${why}`, batch.status === "cancelled" ? "info" : "bad");
    }
  }
}
