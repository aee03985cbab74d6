import type { Visibility } from "../ipc/bindings.js";

/** Whether this page can be seen, as it is told to the plugin. */
export interface PageVisibility {
  readonly current: Visibility;
}

/**
 * Watches whether the page can be seen, for as long as the page exists. `changed` is called at once, since a page that is hidden may
 * be suspended in the next moment; not while the page unloads, which is the plugin's to notice.
 *
 * A worker and whatever else has no document counts as visible.
 */
export function watchVisibility(changed: () => void): PageVisibility {
  if (typeof document === "undefined") return { current: { hidden: false, change: 0 } };
  let isFrozen = false;
  let unloads = false;
  const isHidden = () => isFrozen || document.visibilityState === "hidden";
  let current: Visibility = { hidden: isHidden(), change: 0 };

  function update(): void {
    const hidden = isHidden();
    // Each page that unloads is hidden for a moment.
    if (unloads || hidden === current.hidden) return;
    current = { hidden, change: current.change + 1 };
    changed();
  }

  document.addEventListener("visibilitychange", update);
  // Only Chromium tells that it freezes a page.
  document.addEventListener("freeze", () => {
    isFrozen = true;
    update();
  });
  document.addEventListener("resume", () => {
    isFrozen = false;
    update();
  });
  globalThis.addEventListener("pagehide", () => {
    unloads = true;
  });
  // The page was kept while another one was in its place. The plugin has closed its session, so it is told in any case.
  globalThis.addEventListener("pageshow", ({ persisted }) => {
    unloads = false;
    isFrozen = false;
    update();
    if (persisted) changed();
  });
  return {
    get current() {
      return current;
    },
  };
}
