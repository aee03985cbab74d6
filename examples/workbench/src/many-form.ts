import { tasks } from "./client";
import { find } from "./dom";
import { suggestPath } from "./file-names";
import { type FormContext, field, onSubmit } from "./form";
import { tellBatch } from "./handles";
import { batchLabel, onTheirWay } from "./sentences";
import type { DownloadInput } from "./tasks.gen";

/** Sets up the form that starts many downloads, as one batch or separately. */
export function setUpManyForm(form: HTMLFormElement, context: FormContext) {
  const urls = find(form, "[name=urls]", HTMLTextAreaElement);
  const folder = field(form, "folder");
  const atOnce = field(form, "at-once");
  const asBatch = field(form, "as-batch");
  const taken = new Set<string>();

  // Without a batch, only the limit of the kind applies, which is set above the list.
  const showAtOnce = (): void => {
    atOnce.disabled = !asBatch.checked;
  };
  asBatch.addEventListener("change", showAtOnce);
  showAtOnce(); // some engines restore the form after a reload

  onSubmit(form, context, async () => {
    const inputs = inputsFor(lines(urls.value), folder.value.trim(), taken);
    if (asBatch.checked) {
      const label = batchLabel(inputs);
      const options = { concurrency: atOnce.valueAsNumber, label };
      return tellBatch(await tasks.batch("download", inputs, options), label, context.notify);
    }
    for (const input of inputs) {
      await tasks.start("download", input); // one after another, so that they queue in this order
    }
    context.notify(onTheirWay(inputs.length));
  });

  return {
    /** Suggests a folder. */
    into(downloads: string): void {
      folder.value ||= downloads;
    },
  };
}

const lines = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

function inputsFor(
  urls: readonly string[],
  folder: string,
  taken: Set<string>,
): readonly DownloadInput[] {
  return urls.map((url) => {
    const dest = suggestPath(folder, url, taken);
    taken.add(dest);
    return { url, dest };
  });
}
