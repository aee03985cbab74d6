import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
} from "@tanstack/virtual-core";
import { setText } from "./dom";
import { type Block, createLogLines, type LogLines } from "./log-lines";

/** The height of a row in pixels, as in style.css. */
const ROW = 18;
const PADDING = 6;
/** How many rows to add above and below the visible ones, for scrolling that is painted before its event comes. */
const OVERSCAN = 8;
/** How much of a line is shown: lines have up to 64 KiB, and a screen full of those can't be laid out in a frame. */
const LONGEST_SHOWN = 4_000;

/** The rows of a log that are on the screen. */
export interface LogRows {
  /** Shows another log. */
  show(lines: LogLines): void;
  /** Shows the current lines. */
  update(): void;
  /** Whether the view stays at the end when lines come. */
  follows: boolean;
}

/** `scroller` scrolls over `content`. `changed` is called when the user scrolls away from the end or back to it. */
export function createLogRows(
  scroller: HTMLElement,
  content: HTMLElement,
  changed: () => void,
): LogRows {
  const nodes: BlockNode[] = [];
  let lines = createLogLines();
  /** The blocks as they were last laid out: the log may have others by now. */
  let blocks: readonly Block[] = [];
  let dropped = 0;
  let follows = true;
  /** The last scroll position, set by this code or by the user. */
  let top = 0;

  // The virtual list has blocks of lines, not lines: a million lines are some 16,000 blocks, which is few enough to be
  // laid out again whenever lines come, and browsers paint one text of many lines fastest.
  const virtualizer = new Virtualizer<HTMLElement, HTMLElement>(options());

  function options() {
    return {
      count: blocks.length,
      getScrollElement: () => scroller,
      estimateSize: (index: number) => ROW * (blocks[index]?.rows ?? 0),
      getItemKey: (index: number) => blocks[index]?.key ?? -1,
      observeElementRect,
      observeElementOffset,
      scrollToFn: elementScroll,
      onChange: paint,
      overscan: 1,
      paddingStart: PADDING,
      paddingEnd: PADDING,
    };
  }

  const end = (): number => Math.max(0, virtualizer.getTotalSize() - scroller.clientHeight);

  function scrollTo(offset: number): void {
    top = offset;
    // Don't wait for the scroll event, so that no frame shows the rows of the old position.
    virtualizer.scrollOffset = offset;
    scroller.scrollTop = offset;
  }

  function follow(now: boolean): void {
    if (follows !== now) {
      follows = now;
      changed();
    }
  }

  /** Call this as soon as the user begins to scroll up. New lines could arrive before the scroll event. */
  function leaveEnd(): void {
    if (scroller.scrollTop > 0) {
      follow(false);
    }
  }

  /** Checks where the user has scrolled to before this code scrolls. The scroll event comes later, when the end may have moved. */
  function look(): void {
    const now = scroller.scrollTop;
    // If the position is the same, the user's choice to follow or not stands. A hidden view is scrolled by nobody.
    if (Math.abs(now - top) < 1 || scroller.clientHeight === 0) {
      return;
    }
    if (now >= end() - ROW / 2) {
      follow(true);
    } else if (now < top) {
      follow(false);
    }
    top = now;
    virtualizer.scrollOffset = now;
  }

  function draw(): void {
    const height = scroller.clientHeight;
    if (height === 0) {
      return;
    }
    content.style.height = `${virtualizer.getTotalSize()}px`;
    if (follows) {
      scrollTo(end());
    }
    const from = (virtualizer.scrollOffset ?? 0) - OVERSCAN * ROW;
    const to = from + height + 2 * OVERSCAN * ROW;
    const items = virtualizer.getVirtualItems();
    while (nodes.length < items.length) {
      nodes.push(createBlockNode(content));
    }
    for (const node of nodes.splice(items.length)) {
      node.element.remove();
    }
    for (const [place, { index, start }] of items.entries()) {
      const block = blocks[index];
      if (block !== undefined) {
        // The time to lay out a text grows with its lines, so only the visible ones are shown.
        const first = Math.min(Math.max(0, Math.floor((from - start) / ROW)), block.rows - 1);
        const last = Math.min(Math.max(first + 1, Math.ceil((to - start) / ROW)), block.rows);
        nodes[place]?.show(block, start, first, last);
      }
    }
  }

  function paint(): void {
    look();
    draw();
  }

  // The virtualizer only reports when other blocks become visible, not other rows.
  scroller.addEventListener("scroll", paint);
  new ResizeObserver(paint).observe(scroller);
  scroller.addEventListener(
    "wheel",
    ({ deltaY }) => {
      if (deltaY < 0) leaveEnd();
    },
    { passive: true },
  );
  scroller.addEventListener("keydown", ({ key }) => {
    if (["ArrowUp", "PageUp", "Home"].includes(key)) leaveEnd();
  });
  virtualizer._didMount();
  virtualizer._willUpdate();

  function layOut(): void {
    blocks = [...lines.blocks];
    virtualizer.setOptions(options());
    const gone = (lines.dropped - dropped) * ROW;
    dropped = lines.dropped;
    if (gone > 0 && !follows) {
      // The rows that the user is reading stay in place, as long as they exist.
      scrollTo(Math.max(0, scroller.scrollTop - gone));
    }
    draw();
  }

  return {
    show(next) {
      lines = next;
      dropped = lines.dropped;
      follows = true;
      layOut();
    },
    update() {
      look();
      layOut();
    },
    get follows() {
      return follows;
    },
    set follows(now) {
      look();
      follow(now);
      draw();
    },
  };
}

interface BlockNode {
  readonly element: HTMLElement;
  /** Shows the rows from `from` up to, but not including, `to` of a block that begins at `start`. */
  show(block: Block, start: number, from: number, to: number): void;
}

function createBlockNode(content: HTMLElement): BlockNode {
  const element = document.createElement("div");
  const numbers = document.createElement("div");
  const text = document.createElement("div");
  element.className = "log-block";
  numbers.className = "log-numbers";
  text.className = "log-text";
  // Screen readers should read the lines, not their numbers.
  numbers.setAttribute("aria-hidden", "true");
  element.append(numbers, text);
  content.append(element);
  let shown: Block | undefined;

  return {
    element,
    show(block, start, from, to) {
      element.style.top = `${start + from * ROW}px`;
      // Don't touch a text that stays the same: it may be selected.
      const place = `${from}-${to}`;
      if (shown === block && element.dataset.rows === place) {
        return;
      }
      shown = block;
      element.dataset.rows = place;
      element.classList.toggle("log-remark", block.first === null);
      setText(numbers, block.first === null ? "" : numbered(block.first + from, to - from));
      setText(text, block.text.split("\n").slice(from, to).map(shortened).join("\n"));
    },
  };
}

const numbered = (first: number, rows: number): string =>
  Array.from({ length: rows }, (_, row) => first + row).join("\n");

const shortened = (line: string): string =>
  line.length <= LONGEST_SHOWN
    ? line
    : `${line.slice(0, LONGEST_SHOWN)} … and ${line.length - LONGEST_SHOWN} more characters`;
