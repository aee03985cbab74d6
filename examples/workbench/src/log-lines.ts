/** How many lines are kept. They take some 25 MB, but while lines flood in, the garbage collector lets the page grow to a multiple of
 * that: by 0.4 GB, and with four times as many lines by 1.0 GB. (At 18 pixels each, WebKit can scroll over 1.8 million lines at most.) */
export const MAX_LINES = 250_000;
/** How many characters are kept at most, for the case that the lines are long. */
const MAX_CHARACTERS = 64 * 1024 * 1024;
/** How many lines share one string: a string for each would take more memory than its text. */
const BLOCK_LINES = 64;

/** Lines that share one string. */
export interface Block {
  /** A number that no other block of this log ever has. */
  readonly key: number;
  readonly rows: number;
  /** The number of its first line, from 1; `null` for a remark between lines. */
  readonly first: number | null;
  /** The lines, or the remark. */
  readonly text: string;
}

/** The newest lines of a log, a block at a time. */
export interface LogLines {
  readonly blocks: readonly Block[];
  /** The number of the last line, which is also how many there have been in all. */
  readonly count: number;
  /** How many of the lines are still kept. */
  readonly kept: number;
  /** How many rows have been dropped at the front in all. */
  readonly dropped: number;
  append(lines: readonly string[]): void;
  /** Skips lines that are unavailable, and adds a row that says so. */
  skip(lines: number, remark: string): void;
  /** Returns the last lines, at most `most`. */
  last(most: number): string[];
}

export function createLogLines(): LogLines {
  const blocks: Block[] = [];
  /** The lines of the last block, as long as it has room. */
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

  /** Adds lines that fit into the last block. */
  function fill(lines: readonly string[]): void {
    // The last block is replaced by one with the added lines.
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
      // The last block always stays.
      if (!isOver || end === blocks.length - 1) break;
      characters -= text.length;
      kept -= lines;
      dropped += rows;
      end += 1;
    }
    blocks.splice(0, end);
    cutFront(kept - MAX_LINES);
  }

  /**
   * Drops a part of the first block. The length of a full log then stays the same, and the view stays at its end
   * without scrolling.
   */
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
