import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type LoadedPage, loadPage, settle } from "./load-page.js";

let page: LoadedPage;
/** Removes the listeners of the page, which shares its document with those of the other tests. */
let stopListening: (() => void)[] = [];

function recordListeners(target: EventTarget): void {
  const add = target.addEventListener.bind(target);
  vi.spyOn(target, "addEventListener").mockImplementation((type, listener, options) => {
    add(type, listener, options);
    stopListening.push(() => target.removeEventListener(type, listener, options));
  });
}

beforeEach(async () => {
  recordListeners(document);
  recordListeners(window);
  page = await loadPage();
});
afterEach(() => {
  page.unload();
  for (const stop of stopListening) stop();
  stopListening = [];
});

function show(state: DocumentVisibilityState): void {
  vi.spyOn(document, "visibilityState", "get").mockReturnValue(state);
  document.dispatchEvent(new Event("visibilitychange"));
}

function transition(type: "pagehide" | "pageshow", persisted: boolean): void {
  window.dispatchEvent(Object.assign(new Event(type), { persisted }));
}

/** What the page has told, in order. */
function told(): unknown[] {
  return page.plugin.calls("ack").map(({ visibility }) => visibility);
}

describe("a page tells the plugin", () => {
  it("at once when it is hidden or shown, with the newest message that it has", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    plugin.progress(task.id, { completed: 1 });
    await plugin.frame();
    show("hidden");
    expect(told()).toEqual([
      { hidden: false, change: 0 },
      { hidden: true, change: 1 },
    ]);
    show("visible");
    expect(told().at(-1)).toEqual({ hidden: false, change: 2 });
    expect(plugin.calls("ack").at(-1)).toMatchObject({ message: 1 });
  });

  it("nothing when an event changes nothing", async () => {
    await page.tasks.start("tick");
    show("visible");
    document.dispatchEvent(new Event("resume"));
    transition("pageshow", false);
    expect(told()).toEqual([]);
  });

  it("when it opens its session", async () => {
    show("hidden");
    await page.tasks.start("tick");
    expect(page.plugin.calls("open")[0]).toMatchObject({ visibility: { hidden: true, change: 0 } });
    expect(told()).toEqual([]);
  });

  it("what has changed while its session was opened", async () => {
    const answer = page.plugin.hold("open");
    const started = page.tasks.start("tick");
    await settle();
    show("hidden");
    answer();
    await started;
    expect(told()).toEqual([{ hidden: true, change: 1 }]);
  });

  it("again with each ping, since a call may get lost", async () => {
    await page.tasks.start("tick");
    page.plugin.refuse("ack", "lost");
    show("hidden");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told()).toEqual([
      { hidden: true, change: 1 },
      { hidden: true, change: 1 },
    ]);
  });

  it("in a new session, too, if it lost one while it was hidden", async () => {
    await page.tasks.start("tick");
    show("hidden");
    page.plugin.dropSessions();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(page.plugin.calls("open").at(-1)).toMatchObject({
      visibility: { hidden: true, change: 1 },
    });
  });

  it("that it is frozen as that it is hidden", async () => {
    await page.tasks.start("tick");
    document.dispatchEvent(new Event("freeze"));
    expect(told()).toEqual([{ hidden: true, change: 1 }]);
    document.dispatchEvent(new Event("resume"));
    expect(told().at(-1)).toEqual({ hidden: false, change: 2 });
  });

  it("nothing while it unloads, and again if it is shown once more", async () => {
    await page.tasks.start("tick");
    transition("pagehide", true);
    show("hidden");
    expect(told()).toEqual([]);
    vi.spyOn(document, "visibilityState", "get").mockReturnValue("visible");
    transition("pageshow", true);
    expect(told()).toEqual([{ hidden: false, change: 0 }]);
  });

  it("nothing while it has no session", async () => {
    const { plugin, tasks } = page;
    await tasks.list();
    show("hidden");
    await settle();
    expect(plugin.commands()).toEqual(["list"]);
  });
});

describe("code without a document", () => {
  it("counts as visible", async () => {
    vi.stubGlobal("document", undefined);
    await page.tasks.start("tick");
    expect(page.plugin.calls("open")[0]).toMatchObject({
      visibility: { hidden: false, change: 0 },
    });
    vi.unstubAllGlobals();
    show("hidden");
    expect(told()).toEqual([]);
  });
});
