import { find, setAttribute, setText } from "./dom";
import { nextFrame, oncePerFrame } from "./frame";
import type { Log } from "./log";
import { createLogRows } from "./log-rows";
import { linesIn, linesPerSecond, linesShown, logStatus } from "./sentences";

/** How often the rate is measured. */
const RATE_MS = 500;
/**
 * More lines at once than this are a flood, which nobody can read. A flood is painted only for a part of the time,
 * which leaves most frames to incoming lines and to the user.
 */
const FLOOD_LINES = 100;
const FLOOD_PAINT_MS = 100;
const FLOOD_PAINT_PART = 1 / 8;
/** If painting seems to take longer than this, the page was suspended. */
const FLOOD_PAUSE_MS = 1000;

export interface LogViewActions {
  /** Cancels the tail. */
  stop(log: Log): void;
  /** Ends the reading and closes the view. */
  close(log: Log): void;
  pause(log: Log, paused: boolean): void;
}

/** The view of one log, at the bottom of the window. */
export interface LogView {
  /** Reserves space for a log that is about to open. */
  open(path: string): void;
  /** Opens the view with a log. */
  show(log: Log): void;
  hide(): void;
  /** Call this when something about the shown log has changed. */
  update(): void;
}

export function createLogView(panel: HTMLElement, actions: LogViewActions): LogView {
  const part = (name: string): HTMLElement => find(panel, `[data-part=${name}]`, HTMLElement);
  const button = (name: string): HTMLButtonElement =>
    find(panel, `[data-testid=log-${name}]`, HTMLButtonElement);
  const buttons = {
    follow: button("follow"),
    pause: button("pause"),
    stop: button("stop"),
    expand: button("expand"),
    close: button("close"),
  };
  const texts = {
    name: part("name"),
    status: part("status"),
    count: part("count"),
    rate: part("rate"),
    shown: part("shown"),
    empty: part("empty"),
  };
  const scroller = part("scroller");
  const rows = createLogRows(scroller, part("content"), paintHead);
  let log: Log | undefined;
  let rate = 0;
  let measured = { at: 0, count: 0 };
  let timer: number | undefined;

  let painted = { at: 0, count: 0, ms: 0 };

  const paint = oncePerFrame(
    () => {
      if (log !== undefined) {
        const now = { at: performance.now(), count: log.lines.count, ms: 0 };
        painted = now;
        rows.update();
        paintHead();
        // The browser has finished its part when the next frame begins.
        void nextFrame().then(() => {
          now.ms = performance.now() - now.at;
        });
      }
    },
    () => {
      const isFlood = (log?.lines.count ?? 0) - painted.count > FLOOD_LINES;
      const share = Math.min(painted.ms / FLOOD_PAINT_PART, FLOOD_PAUSE_MS);
      const pause = Math.max(FLOOD_PAINT_MS, share);
      return isFlood ? Math.max(0, painted.at + pause - performance.now()) : 0;
    },
  );

  function paintHead(): void {
    if (log === undefined) {
      return;
    }
    const { lines, paused, over } = log;
    // Counts only the painted lines, which can be scrolled to: more may have come since.
    setText(texts.count, linesIn(painted.count));
    setText(texts.rate, rate > 0 ? linesPerSecond(rate) : "");
    setText(texts.shown, lines.kept < lines.count ? linesShown(lines.kept) : "");
    setText(texts.status, logStatus(log));
    setAttribute(panel, "data-state", over ? "over" : paused ? "paused" : "reading");
    texts.empty.hidden = lines.blocks.length > 0;
    setText(texts.empty, over ? "There are no lines." : "Waiting for the first line…");
    setAttribute(buttons.follow, "aria-pressed", String(rows.follows));
    setText(buttons.pause, paused ? "Resume" : "Pause");
    buttons.pause.disabled = over;
    buttons.stop.disabled = over;
  }

  function measure(): void {
    if (log === undefined) {
      return;
    }
    const now = { at: performance.now(), count: log.lines.count };
    rate = Math.round(((now.count - measured.count) * 1000) / (now.at - measured.at));
    measured = now;
    paintHead();
  }

  function expand(whole: boolean): void {
    document.body.classList.toggle("log-expanded", whole);
    setText(buttons.expand, whole ? "Restore" : "Expand");
  }

  function onClick(button: HTMLButtonElement, act: (log: Log) => void): void {
    button.addEventListener("click", () => {
      if (log !== undefined) {
        act(log);
      }
    });
  }

  onClick(buttons.pause, (log) => actions.pause(log, !log.paused));
  onClick(buttons.stop, actions.stop);
  onClick(buttons.close, actions.close);
  onClick(buttons.follow, () => {
    rows.follows = !rows.follows;
  });
  onClick(buttons.expand, () => {
    expand(!document.body.classList.contains("log-expanded"));
  });

  function open(path: string): void {
    panel.hidden = false;
    const name = path.split(/[/\\]/).at(-1) ?? path;
    setText(texts.name, name);
    texts.name.title = path;
    setAttribute(scroller, "aria-label", `Lines of ${name}`);
  }

  return {
    open,
    show(next) {
      log = next;
      open(next.path);
      measured = { at: performance.now(), count: next.lines.count };
      painted = { ...measured, ms: 0 };
      rate = 0;
      rows.show(next.lines);
      paintHead();
      window.clearInterval(timer);
      timer = window.setInterval(measure, RATE_MS);
    },
    hide() {
      log = undefined;
      panel.hidden = true;
      expand(false);
      window.clearInterval(timer);
    },
    update: paint,
  };
}
