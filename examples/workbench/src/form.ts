import { TaskInputError } from "tauri-plugin-tasks-api";
import { find } from "./dom";
import type { Follow } from "./handles";
import type { Logs } from "./logs";
import type { Notify } from "./notice";
import { errorSentence } from "./sentences";

/** What the forms need from the page. */
export interface FormContext {
  readonly notify: Notify;
  readonly follow: Follow;
  readonly openLog: Logs["open"];
}

type Field = HTMLInputElement | HTMLTextAreaElement;

const isField = (element: Element): element is Field =>
  element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement;

export const field = (form: HTMLFormElement, name: string): HTMLInputElement =>
  find(form, `[name=${name}]`, HTMLInputElement);

/** Runs `start` when the form is submitted. An error that it throws becomes a notice, and marks its field if it is about one. */
export function onSubmit(
  form: HTMLFormElement,
  { notify }: FormContext,
  start: () => Promise<void>,
): void {
  const fields = [...form.elements].filter(isField);
  for (const field of fields) {
    field.addEventListener("input", () => field.removeAttribute("aria-invalid"));
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    for (const field of fields) {
      field.removeAttribute("aria-invalid");
    }
    const empty = fields.find((field) => !field.disabled && field.value.trim() === "");
    if (empty !== undefined) {
      refuse(empty);
      notify(`Fill in “${empty.labels?.[0]?.textContent.trim() ?? empty.name}” first.`, "bad");
      return;
    }
    start().catch((error: unknown) => {
      if (error instanceof TaskInputError) {
        refuse(fields.find((field) => field.name === error.path));
      }
      notify(errorSentence(error), "bad");
    });
  });
}

function refuse(field: Field | undefined): void {
  field?.setAttribute("aria-invalid", "true");
  field?.focus();
}
