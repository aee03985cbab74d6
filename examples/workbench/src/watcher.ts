import { tasks } from "./client";
import { find, setText } from "./dom";
import { statusName, watched } from "./sentences";

/** Shows the service that watches a folder as long as the app runs. */
export function setUpWatcher(panel: HTMLElement, tell: (error: unknown) => void): void {
  const status = find(panel, "[data-part=status]", HTMLElement);
  const seen = find(panel, "[data-part=seen]", HTMLElement);
  tasks
    .watch({ task: "watcher" }, (services) => {
      // Older entries are services that have ended. Only the newest one may be live.
      const service = services.at(-1);
      panel.dataset.status = service?.status ?? "queued";
      setText(
        status,
        service === undefined ? "Not running" : statusName(service.status, service.overdue),
      );
      setText(seen, service === undefined ? "" : watched(service));
    })
    .catch(tell);
}
