/** So many lines are kept. They are some 25 MB, but while a flood of others comes in, a collector lets a page grow to a multiple of what
 * it keeps: with four times as many, by 1.0 GB instead of 0.4. (And at 18 pixels each, 1.8 million are as high as WebKit can scroll.) */
export const MAX_LINES = 250_000;
/** So many characters are kept, should the lines be long. */
const MAX_CHARACTERS = 64 * 1024 * 1024;
/** So many lines are one text: a string for each would cost more than what is in it. */
const BLOCK_LINES = 64;

/** Lines that were put together. */
export interface Block {
  /** Its own as long as the log is there. */
  readonly key: number;
  readonly rows: number;
  /** The number of its first line, from 1; `null` for a remark between lines. */
  readonly first: number | null;
  /** Its lines, or the remark. */
  readonly text: string;
}

/** The newest lines of a log, a block at a time. */
export interface LogLines {
  readonly blocks: readonly Block[];
  /** The number of the last line: how many there were in all. */
  readonly count: number;
  /** How many of the lines are still here. */
  readonly kept: number;
  /** How many rows were dropped at the front, ever. */
  readonly dropped: number;
  append(lines: readonly string[]): void;
  /** Leaves out lines that can't be had, and says so in a row. */
  skip(lines: number, remark: string): void;
  /** The last lines, `most` at most. */
  last(most: number): string[];
}

export function createLogLines(): LogLines {
  const blocks: Block[] = [];
  /** The lines of the last block, while it has room. */
  let open: string[] = [];
  let keys = 0;
  let count = 0;
  let kept = 0;
  let dropped = 0;
  let characters = 0;

  function put(key: number, rows: number, first: number | null, text: string): void {
    characters += text.length;
    blocks.push({ key, rows, first, text });
  }

  /** Adds lines for which the last block has room. */
  function fill(lines: readonly string[]): void {
    // The last block is made anew with what is added.
    const before = open.length > 0 ? blocks.pop() : undefined;
    if (before !== undefined) {
      characters -= before.text.length;
    } else {
      keys += 1;
    }
    const first = count - open.length + 1;
    open.push(...lines);
    count += lines.length;
    kept += lines.length;
    put(keys, open.length, first, open.join("\n"));
    if (open.length === BLOCK_LINES) {
      open = [];
    }
  }

  function trim(): void {
    let end = 0;
    for (const { rows, first, text } of blocks) {
      const lines = first === null ? 0 : rows;
      const isOver = kept - lines >= MAX_LINES || characters > MAX_CHARACTERS;
      // What comes in now is never too much.
      if (!isOver || end === blocks.length - 1) break;
      characters -= text.length;
      kept -= lines;
      dropped += rows;
      end += 1;
    }
    blocks.splice(0, end);
    cutFront(kept - MAX_LINES);
  }

  /** Drops a part of the first block, so that a full log is always as long: what is as long needs no scrolling to stay at its end. */
  function cutFront(lines: number): void {
    const [block] = blocks;
    if (lines <= 0 || block?.first == null) return;
    const { key, rows, first, text } = block;
    const rest = text.split("\n").slice(lines).join("\n");
    blocks[0] = { key, rows: rows - lines, first: first + lines, text: rest };
    characters -= text.length - rest.length;
    kept -= lines;
    dropped += lines;
  }

  return {
    blocks,
    get count() {
      return count;
    },
    get kept() {
      return kept;
    },
    get dropped() {
      return dropped;
    },
    append(lines) {
      for (let from = 0; from < lines.length; ) {
        const to = Math.min(lines.length, from + BLOCK_LINES - open.length);
        fill(lines.slice(from, to));
        from = to;
      }
      trim();
    },
    skip(lines, remark) {
      open = [];
      count += lines;
      keys += 1;
      put(keys, 1, null, remark);
    },
    last(most) {
      const lines: string[] = [];
      for (const block of blocks.toReversed()) {
        if (block.first === null || lines.length >= most) break;
        lines.unshift(...block.text.split("\n"));
      }
      return lines.slice(-most);
    },
  };
}
