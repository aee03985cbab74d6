import { getCurrentWebview } from "@tauri-apps/api/webview";
import { type ExtraWindow, openWindow, quit } from "./app";
import type { ButtonName } from "./card-buttons";
import { KINDS, type Snapshot, tasks } from "./client";
import { find } from "./dom";
import { setUpDownloadsHead } from "./downloads-head";
import { setUpForms, setUpSecret } from "./forms";
import { oncePerFrame } from "./frame";
import { cancel, createFollow, explain, pause, remove, resume, runNext } from "./handles";
import { createLogs } from "./logs";
import { createNotify } from "./notice";
import { setUpQuitDialog } from "./quit-dialog";
import { createRerun } from "./rerun";
import { errorSentence, stopping } from "./sentences";
import { endedBadly } from "./status";
import { setUpSync } from "./sync";
import { TaskList } from "./task-list";
import { setUpTheme } from "./theme";
import { setUpWatcher } from "./watcher";

/** The shortest time between two updates of the list. */
const LIST_MS = 100;

const byId = (id: string): HTMLElement => find(document, `#${id}`, HTMLElement);
const button = (id: string): HTMLButtonElement => find(document, `#${id}`, HTMLButtonElement);

// A task's owner is a webview, so the webview's label tells which tasks are this page's own.
const { label } = getCurrentWebview();
const notify = createNotify(byId("notice"));
const tell = (error: unknown): void => notify(errorSentence(error), "bad");
const follow = createFollow(byId("latest"), notify);
const logs = createLogs(byId("log"), tell);
const rerun = createRerun(follow, logs.open);

setUpTheme(button("theme"));
byId("window-label").textContent = label;

/** What the buttons of a card do. For a batch, they affect all its members. */
function press(
  name: ButtonName,
  snapshot: Snapshot,
  members: readonly Snapshot[],
): Promise<unknown> {
  switch (name) {
    case "cancel":
      return cancel(snapshot);
    case "remove":
      return remove(...members, snapshot);
    case "pause":
      return pause(snapshot);
    case "resume":
      return resume(snapshot);
    case "run-next":
      return runNext(snapshot);
    case "open-log":
      return snapshot.task === "tail"
        ? logs.show(snapshot.id, snapshot.input?.path ?? "")
        : Promise.resolve();
    case "rerun":
      return snapshot.members === null
        ? rerun(snapshot)
        : Promise.all(members.filter(endedBadly).map(rerun));
  }
}

const list = new TaskList(
  {
    list: byId("task-list"),
    template: find(document, "#card", HTMLTemplateElement),
    empty: byId("empty"),
    summary: byId("summary"),
    removeEnded: button("remove-ended"),
    cancelAll: button("cancel-all"),
  },
  label,
  { press: (...pressed) => void press(...pressed).catch(tell), explain },
);

const refreshCounts = setUpDownloadsHead(
  { limit: find(document, "#limit", HTMLInputElement), counts: byId("counts") },
  tell,
);

// Follows all tasks that this window may see. After a reload, this is all that is needed to find them again.
let newest: readonly Snapshot[] = [];
let shownAt = 0;
const showList = oncePerFrame(
  () => {
    shownAt = performance.now();
    list.show(newest);
    refreshCounts();
  },
  // Updates come with every frame while a task runs; the bars glide from one to the next.
  () => Math.max(0, shownAt + LIST_MS - performance.now()),
);
tasks
  .watch({ task: KINDS }, (snapshots) => {
    newest = snapshots;
    showList();
  })
  .catch(tell);

setUpForms({ notify, follow, openLog: logs.open }).catch(tell);
logs.restore().catch(tell);
setUpSecret(button("start-secret"), notify);
setUpSync(byId("sync"), tell);
setUpWatcher(byId("watcher"), tell);
setUpQuitDialog(find(document, "#quit", HTMLDialogElement), tell);
button("quit-app").addEventListener("click", () => void quit().catch(tell));

button("cancel-all").addEventListener("click", () => {
  tasks.cancelAll({ task: KINDS }).then((told) => notify(stopping(told)), tell);
});

for (const extra of ["second", "observer"] satisfies ExtraWindow[]) {
  button(`open-${extra}`).addEventListener("click", () => void openWindow(extra).catch(tell));
}
