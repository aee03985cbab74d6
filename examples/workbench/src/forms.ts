import { TaskPermissionError } from "tauri-plugin-tasks-api";
import { defaults } from "./app";
import { tasks } from "./client";
import { find } from "./dom";
import { suggestPath } from "./file-names";
import { type FormContext, field, onSubmit } from "./form";
import { setUpManyForm } from "./many-form";
import type { Notify } from "./notice";
import { errorSentence } from "./sentences";
import { setUpTailForm } from "./tail-form";
import type { JobOutcome } from "./tasks.gen";
import { downloadWords, hashWords, jobWords } from "./words";

/** A file that is large enough to watch its download, and always available. */
const SAMPLE_URL = "https://static.rust-lang.org/dist/rust-1.90.0-x86_64-unknown-linux-gnu.tar.xz";

const OUTCOMES: readonly JobOutcome[] = ["succeed", "fail", "panic", "hang", "stubborn", "hold"];
const isOutcome = (value: string): value is JobOutcome =>
  OUTCOMES.some((outcome) => outcome === value);

/** Sets up the forms that start tasks. */
export async function setUpForms(context: FormContext): Promise<void> {
  const download = find(document, "#download", HTMLFormElement);
  const hashFolder = find(document, "#hash-folder", HTMLFormElement);
  const job = find(document, "#job", HTMLFormElement);
  setUpTailForm(find(document, "#tail", HTMLFormElement), context);
  const many = setUpManyForm(find(document, "#download-many", HTMLFormElement), context);

  const url = field(download, "url");
  const dest = field(download, "dest");
  const path = field(hashFolder, "path");
  const seconds = field(job, "seconds");
  const outcome = find(job, "[name=outcome]", HTMLSelectElement);

  const suggest = createSuggestion(url, dest);

  onSubmit(download, context, async () => {
    const input = { url: url.value.trim(), dest: dest.value.trim() };
    const task = await tasks.start("download", input);
    suggest.used(input.dest);
    return context.follow(task, downloadWords(input));
  });

  onSubmit(hashFolder, context, async () => {
    const input = { path: path.value.trim() };
    const task = await tasks.start("hash-folder", input);
    return context.follow(task, hashWords(input));
  });

  onSubmit(job, context, async () => {
    if (!isOutcome(outcome.value)) {
      return;
    }
    const task = await tasks.start("job", {
      outcome: outcome.value,
      seconds: seconds.valueAsNumber,
    });
    return context.follow(task, jobWords());
  });

  // Nothing above waits for this: the forms work without suggestions.
  const { downloads, sample } = await defaults();
  many.into(downloads);
  url.value ||= SAMPLE_URL;
  suggest.into(downloads);
  path.value ||= sample;
}

/** Suggests where to save the file at `url`, until the user types a destination. */
function createSuggestion(url: HTMLInputElement, dest: HTMLInputElement) {
  const taken = new Set<string>();
  let folder: string | undefined;
  let typed = false;

  const suggest = (): void => {
    if (folder !== undefined && !typed) {
      dest.value = suggestPath(folder, url.value, taken);
    }
  };

  url.addEventListener("input", suggest);
  dest.addEventListener("input", () => {
    typed = dest.value !== "";
  });

  return {
    into(downloads: string): void {
      folder = downloads;
      if (dest.value === "") {
        suggest();
      }
    },
    used(path: string): void {
      taken.add(path);
      suggest();
    },
  };
}

/** Sets up the button that starts a kind that this window may not start. */
export function setUpSecret(button: HTMLButtonElement, notify: Notify): void {
  button.addEventListener("click", async () => {
    try {
      await tasks.start("secret");
      notify("The secret was started, although no capability names it. That is a bug.", "bad");
    } catch (error) {
      const expected = error instanceof TaskPermissionError ? "Refused, as it should be. " : "";
      notify(expected + errorSentence(error), "bad");
    }
  });
}
