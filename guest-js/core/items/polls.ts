/** How many reads of a page may wait in the plugin at a time. */
export const SLOTS = 4;
/** How long a read may wait there. */
export const WAIT_MS = 20_000;
/** The same while more readers want to wait than there are slots: then they take turns. */
export const TURN_MS = 250;

/** Shares out the waiting reads among the readers of a page. */
export interface Polls {
  /** A place for one more reader. */
  join(): Seat;
}

/**
 * One reader's share: one read on its way, and as long as they are answered with something, more into slots that no other reader
 * needs.
 */
export interface Seat {
  /**
   * Sends a read, again and again, until it answers something. Of one reader those with the lowest `order` are sent first.
   * Rejects with what `send` rejects with; `undefined` if it was not `wanted` any more before it was sent (again).
   */
  read<T>(
    order: number,
    send: (waitMs: number) => Promise<T | undefined>,
    wanted: () => boolean,
  ): Promise<T | undefined>;
}

interface Ask {
  readonly order: number;
  readonly wanted: () => boolean;
  /** Never rejects: unless it got `nothing`, it is settled. */
  readonly send: (waitMs: number) => Promise<Result>;
  /** Settles it without an answer. */
  readonly drop: () => false;
}

type Result = "something" | "nothing" | "refused";

interface Place {
  /** Those that are not on their way, in order. */
  asks: Ask[];
  /** Those that are on their way, and how long each may wait. */
  readonly sent: Map<Ask, number>;
  /** When its turn is over, if others want one. */
  turnEnds: number;
  isNew: boolean;
  /** Its last read got something: more of them at a time are worth their slots. */
  flows: boolean;
}

export function createPolls(): Polls {
  /** The seats that have something to send, in turn. */
  const line = new Set<Place>();
  /** The seats that have something on its way. */
  const sending = new Set<Place>();
  let nudge: ReturnType<typeof setTimeout> | undefined;

  function waits(): number[] {
    return [...sending].flatMap((seat) => [...seat.sent.values()]).filter((waitMs) => waitMs > 0);
  }

  /** What the reader of this seat needs next is not on its way. */
  function isBlocked({ asks, sent }: Place): boolean {
    const first = asks[0]?.order ?? Number.POSITIVE_INFINITY;
    return ![...sent.keys()].some((ask) => ask.order < first && ask.wanted());
  }

  /** The reader of this seat waits, and has to ask for it: those that wait long are to make room. */
  function isStranded(seat: Place): boolean {
    // The cheap looks first: this is asked of every seat that has something to send.
    if (looksIn(seat) || !isBlocked(seat)) return false;
    const waiting = waits();
    if (waiting.length < SLOTS) return false;
    return seat.isNew || waiting.includes(WAIT_MS);
  }

  /** Whether its read doesn't wait, because there was no slot. */
  function looksIn(seat: Place): boolean {
    return [...seat.sent.values()].includes(0);
  }

  /** Sends what there are slots for. */
  function deal(): void {
    for (const seat of line) {
      seat.asks = seat.asks.filter((ask) => ask.wanted() || ask.drop());
      if (seat.asks.length === 0) line.delete(seat);
    }
    let free = SLOTS - waits().length;
    for (const seat of [...line]) {
      if (free > 0 && isBlocked(seat)) {
        post(seat, waitFor(seat));
        free -= 1;
      }
    }
    // Those whose read doesn't wait will need a slot for the next one.
    free -= [...sending].filter(looksIn).length;
    for (let sent = 1; sent < SLOTS; sent += 1) {
      for (const seat of [...line]) {
        if (free > 0 && seat.flows && seat.sent.size === sent && !looksIn(seat)) {
          post(seat, waitFor(seat));
          free -= 1;
        }
      }
    }
    watchOver();
  }

  function waitFor(seat: Place): number {
    const wanting = new Set([...line, ...sending]).size;
    if (wanting <= SLOTS) return WAIT_MS;
    const now = performance.now();
    if (seat.turnEnds <= now) seat.turnEnds = now + TURN_MS;
    return Math.ceil(seat.turnEnds - now);
  }

  /** Sends the first ask of a seat. */
  function post(seat: Place, waitMs: number): void {
    const ask = seat.asks.shift();
    if (!ask) return;
    if (seat.asks.length === 0) line.delete(seat);
    seat.isNew = false;
    seat.sent.set(ask, waitMs);
    sending.add(seat);
    void ask.send(waitMs).then((result) => {
      seat.sent.delete(ask);
      seat.flows = result === "something";
      if (seat.sent.size === 0) sending.delete(seat);
      if (result === "nothing") queue(seat, ask);
      else keepTurn(seat);
      deal();
    });
  }

  /** What a reader has to ask for while its turn lasts comes before the others, and after its turn behind them. */
  function keepTurn(seat: Place): void {
    if (!line.has(seat)) return;
    if (seat.turnEnds <= performance.now()) {
      line.delete(seat);
      line.add(seat);
      return;
    }
    const others = [...line].filter((other) => other !== seat);
    line.clear();
    for (const each of [seat, ...others]) line.add(each);
  }

  /** At the end of the line: nothing came for it in its turn. */
  function queue(seat: Place, ask: Ask): void {
    if (seat.sent.size === 0) seat.turnEnds = 0;
    line.delete(seat);
    add(seat, ask);
  }

  function add(seat: Place, ask: Ask): void {
    seat.asks.push(ask);
    seat.asks.sort((a, b) => a.order - b.order);
    line.add(seat);
  }

  /** A long wait that began while somebody asked for room may not have heard of it. */
  function watchOver(): void {
    const stranded = [...line].find(isStranded);
    if (stranded && nudge === undefined) {
      nudge = setTimeout(() => {
        nudge = undefined;
        const still = [...line].find(isStranded);
        if (still) post(still, 0);
        watchOver();
      }, TURN_MS);
    }
    if (!stranded) {
      clearTimeout(nudge);
      nudge = undefined;
    }
  }

  return {
    join() {
      const seat: Place = { asks: [], sent: new Map(), turnEnds: 0, isNew: true, flows: false };
      return {
        read: (order, send, wanted) =>
          new Promise((resolve, reject) => {
            const ask: Ask = {
              order,
              wanted,
              drop() {
                resolve(undefined);
                return false;
              },
              send: (waitMs) =>
                send(waitMs).then(
                  (answer) => {
                    if (answer === undefined && wanted()) return "nothing";
                    resolve(answer);
                    return "something";
                  },
                  (error: unknown) => {
                    reject(error);
                    return "refused";
                  },
                ),
            };
            add(seat, ask);
            if (isStranded(seat)) post(seat, 0);
            else deal();
          }),
      };
    },
  };
}
