import { TaskInputError, TaskPermissionError } from "tauri-plugin-tasks-api";
import { defaults } from "./app";
import { tasks } from "./client";
import { find } from "./dom";
import { fileName } from "./format";
import type { createFollow } from "./handles";
import type { Notify } from "./notice";
import {
  downloaded,
  downloadProblem,
  errorSentence,
  folderProblem,
  hashed,
  jobProblem,
  worked,
} from "./sentences";
import type { JobOutcome } from "./tasks.gen";

/** Large enough to be watched, and always there. */
const SAMPLE_URL = "https://static.rust-lang.org/dist/rust-1.90.0-x86_64-unknown-linux-gnu.tar.xz";

const OUTCOMES: readonly JobOutcome[] = ["succeed", "fail", "panic", "hang", "stubborn"];
const isOutcome = (value: string): value is JobOutcome =>
  OUTCOMES.some((outcome) => outcome === value);

interface Context {
  readonly notify: Notify;
  readonly follow: ReturnType<typeof createFollow>;
}

/** The forms that start work. */
export async function setUpForms(context: Context): Promise<void> {
  const download = find(document, "#download", HTMLFormElement);
  const hashFolder = find(document, "#hash-folder", HTMLFormElement);
  const job = find(document, "#job", HTMLFormElement);

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
    return context.follow(task, {
      label: `Download of ${fileName(input.dest)}`,
      done: downloaded,
      failed: downloadProblem,
    });
  });

  onSubmit(hashFolder, context, async () => {
    const input = { path: path.value.trim() };
    const task = await tasks.start("hash-folder", input);
    return context.follow(task, {
      label: `Hash of ${fileName(input.path)}`,
      done: hashed,
      failed: folderProblem,
    });
  });

  onSubmit(job, context, async () => {
    if (!isOutcome(outcome.value)) {
      return;
    }
    const task = await tasks.start("job", {
      outcome: outcome.value,
      seconds: seconds.valueAsNumber,
    });
    return context.follow(task, { label: "Job", done: worked, failed: jobProblem });
  });

  // Nothing above waits for this: the forms work without suggestions.
  const { downloads, sample } = await defaults();
  path.value ||= sample;
  url.value ||= SAMPLE_URL;
  suggest.into(downloads);
}

const field = (form: HTMLFormElement, name: string): HTMLInputElement =>
  find(form, `[name=${name}]`, HTMLInputElement);

/** Runs `start` when the form is sent. What it throws becomes a notice, at the field it is about if there is one. */
function onSubmit(form: HTMLFormElement, { notify }: Context, start: () => Promise<void>): void {
  const inputs = [...form.elements].filter((element) => element instanceof HTMLInputElement);
  for (const input of inputs) {
    input.addEventListener("input", () => input.removeAttribute("aria-invalid"));
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    for (const input of inputs) {
      input.removeAttribute("aria-invalid");
    }
    const empty = inputs.find((input) => input.value.trim() === "");
    if (empty !== undefined) {
      refuse(empty);
      notify(`Fill in “${empty.labels?.[0]?.textContent.trim() ?? empty.name}” first.`, "bad");
      return;
    }
    start().catch((error: unknown) => {
      if (error instanceof TaskInputError) {
        refuse(inputs.find((input) => input.name === error.path));
      }
      notify(errorSentence(error), "bad");
    });
  });
}

function refuse(input: HTMLInputElement | undefined): void {
  input?.setAttribute("aria-invalid", "true");
  input?.focus();
}

/** Suggests where to save what is at `url`, until somebody types a destination. */
function createSuggestion(url: HTMLInputElement, dest: HTMLInputElement) {
  const taken = new Set<string>();
  let folder: string | undefined;
  let typed = false;

  const suggest = (): void => {
    if (folder === undefined || typed) {
      return;
    }
    const separator = folder.includes("\\") ? "\\" : "/";
    const base = folder.endsWith(separator) ? folder : folder + separator;
    const name = nameIn(url.value);
    let candidate = base + name;
    for (let number = 2; taken.has(candidate); number += 1) {
      candidate = base + numbered(name, number);
    }
    dest.value = candidate;
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

/** The file name in an address, without what no file name may have. */
function nameIn(url: string): string {
  if (!URL.canParse(url)) {
    return "download";
  }
  const last = new URL(url).pathname.split("/").findLast((part) => part !== "") ?? "";
  return decode(last).replace(/[\\/:*?"<>|]/g, "_") || "download";
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray percent sign
  }
}

/** `notes (2).txt` */
function numbered(name: string, number: number): string {
  const [, stem = name, ending = ""] = /^(.+?)((?:\.tar)?\.[^.]+)$/.exec(name) ?? [];
  return `${stem} (${number})${ending}`;
}

/** The button that asks for what this window may not have. */
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
