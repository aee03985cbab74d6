import { getCurrentWebview } from "@tauri-apps/api/webview";
import { type ExtraWindow, openWindow } from "./app";
import { KINDS, type Snapshot, tasks } from "./client";
import { find } from "./dom";
import { setUpForms, setUpSecret } from "./forms";
import { cancel, createFollow, explain, remove } from "./handles";
import { createNotify } from "./notice";
import { errorSentence } from "./sentences";
import { TaskList } from "./task-list";
import { setUpTheme } from "./theme";

const byId = (id: string): HTMLElement => find(document, `#${id}`, HTMLElement);
const button = (id: string): HTMLButtonElement => find(document, `#${id}`, HTMLButtonElement);

// Owners of tasks are webviews, so it is the webview's label that tells which tasks are this page's own.
const { label } = getCurrentWebview();
const notify = createNotify(byId("notice"));
const tell = (error: unknown): void => notify(errorSentence(error), "bad");

setUpTheme(button("theme"));
byId("window-label").textContent = label;

const list = new TaskList(
  {
    list: byId("task-list"),
    template: find(document, "#card", HTMLTemplateElement),
    empty: byId("empty"),
    summary: byId("summary"),
    removeEnded: button("remove-ended"),
  },
  label,
  {
    cancel: (snapshot: Snapshot) => void cancel(snapshot).catch(tell),
    remove: (snapshot: Snapshot) => void remove(snapshot).catch(tell),
    explain,
  },
);

// All tasks this window may see, now and from now on. After a reload this is all it takes to find them again.
tasks.watch({ task: KINDS }, (snapshots) => list.show(snapshots)).catch(tell);

setUpForms({ notify, follow: createFollow(byId("latest"), notify) }).catch(tell);
setUpSecret(button("start-secret"), notify);

for (const extra of ["second", "observer"] satisfies ExtraWindow[]) {
  button(`open-${extra}`).addEventListener("click", () => void openWindow(extra).catch(tell));
}
