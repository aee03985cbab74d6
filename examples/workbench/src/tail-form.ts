import { tasks } from "./client";
import { find } from "./dom";
import { type FormContext, field, onSubmit } from "./form";
import { tailWords } from "./words";

/** Sets up the form that starts a tail. */
export function setUpTailForm(form: HTMLFormElement, context: FormContext): void {
  const path = field(form, "path");
  const fromStart = find(form, "[name=fromStart]", HTMLInputElement);

  onSubmit(form, context, async () => {
    const input = { path: path.value.trim(), fromStart: fromStart.checked };
    const task = await tasks.start("tail", input);
    context.openLog(task, input.path);
    return context.follow(task, tailWords(input));
  });
}
