/** How many reads of one page may wait in the plugin at once. */
export const SLOTS = 4;
/** How long one read may wait in the plugin. */
export const WAIT_MS = 20_000;
/** How long one turn lasts: when more readers want to wait than there are slots, they take turns. */
export const TURN_MS = 250;

/** Shares out the slots for waiting reads among the readers of a page. */
export interface Polls {
  /** Returns a seat for one more reader. */
  join(): Seat;
}

/**
 * One reader's share of the slots. Normally one of its reads waits at a time. While its reads return something, several
 * may wait, in slots that no other reader needs.
 */
export interface Seat {
  /**
   * Sends a read, and repeats it until it returns something. The reads of one reader are sent in ascending `order`.
   * Rejects with what `send` rejects with. Resolves with `undefined` if `wanted` returns false when the read's turn
   * comes.
   */
  read<T>(
    order: number,
    send: (waitMs: number) => Promise<T | undefined>,
    wanted: () => boolean,
  ): Promise<T | undefined>;
}

/** One read that a reader has requested. */
interface Ask {
  readonly order: number;
  readonly wanted: () => boolean;
  /** Sends the read. Never rejects. Afterwards the read is settled, unless the result is `nothing`. */
  readonly send: (waitMs: number) => Promise<Result>;
  /** Settles the read without an answer. Returns false, for the filter that calls it. */
  readonly drop: () => false;
}

type Result = "something" | "nothing" | "refused";

/** The state of one seat. */
interface SeatState {
  /** The reads that are still to be sent, in order. */
  asks: Ask[];
  /** The reads that are sent and not answered, and how long each may wait in milliseconds. */
  readonly sent: Map<Ask, number>;
  /** When the turn of this seat ends, if others wait for a turn. */
  turnEnds: number;
  isNew: boolean;
  /** Whether the last read returned something. Only then are several reads at once worth their slots. */
  flows: boolean;
}

export function createPolls(): Polls {
  /** The seats that have a read to send, in the order of their turns. */
  const line = new Set<SeatState>();
  /** The seats that have a read sent and not answered. */
  const sending = new Set<SeatState>();
  let nudge: ReturnType<typeof setTimeout> | undefined;

  function waits(): number[] {
    return [...sending].flatMap((seat) => [...seat.sent.values()]).filter((waitMs) => waitMs > 0);
  }

  /** Whether the read that this reader needs next is still to be sent. */
  function isBlocked({ asks, sent }: SeatState): boolean {
    const first = asks[0]?.order ?? Number.POSITIVE_INFINITY;
    return ![...sent.keys()].some((ask) => ask.order < first && ask.wanted());
  }

  /** Whether this reader has to ask for room, because long waits occupy all slots. */
  function isStranded(seat: SeatState): boolean {
    // The cheap tests come first: this runs for every seat that has a read to send.
    if (hasUrgentRead(seat) || !isBlocked(seat)) return false;
    const waiting = waits();
    if (waiting.length < SLOTS) return false;
    return seat.isNew || waiting.includes(WAIT_MS);
  }

  /** Whether this seat has sent a read that doesn't wait, because there was no slot. */
  function hasUrgentRead(seat: SeatState): boolean {
    return [...seat.sent.values()].includes(0);
  }

  /** Sends as many reads as there are slots for. */
  function fillSlots(): void {
    for (const seat of line) {
      seat.asks = seat.asks.filter((ask) => ask.wanted() || ask.drop());
      if (seat.asks.length === 0) line.delete(seat);
    }
    let free = SLOTS - waits().length;
    for (const seat of [...line]) {
      if (free > 0 && isBlocked(seat)) {
        sendFirst(seat, waitFor(seat));
        free -= 1;
      }
    }
    // A seat whose read doesn't wait will need a slot for its next read.
    free -= [...sending].filter(hasUrgentRead).length;
    for (let sent = 1; sent < SLOTS; sent += 1) {
      for (const seat of [...line]) {
        if (free > 0 && seat.flows && seat.sent.size === sent && !hasUrgentRead(seat)) {
          sendFirst(seat, waitFor(seat));
          free -= 1;
        }
      }
    }
    keepAsking();
  }

  function waitFor(seat: SeatState): number {
    const wanting = new Set([...line, ...sending]).size;
    if (wanting <= SLOTS) return WAIT_MS;
    const now = performance.now();
    if (seat.turnEnds <= now) seat.turnEnds = now + TURN_MS;
    return Math.ceil(seat.turnEnds - now);
  }

  /** Sends the first read of a seat. */
  function sendFirst(seat: SeatState, waitMs: number): void {
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
      fillSlots();
    });
  }

  /** Moves a seat to the front of the line if its turn still lasts, else to the end. */
  function keepTurn(seat: SeatState): void {
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

  /** Puts a read that returned nothing back in line, and its seat at the end of the line. */
  function queue(seat: SeatState, ask: Ask): void {
    if (seat.sent.size === 0) seat.turnEnds = 0;
    line.delete(seat);
    add(seat, ask);
  }

  function add(seat: SeatState, ask: Ask): void {
    seat.asks.push(ask);
    seat.asks.sort((a, b) => a.order - b.order);
    line.add(seat);
  }

  /** Asks for room again as long as a seat needs it: a long wait may have begun just after the last request. */
  function keepAsking(): void {
    const stranded = [...line].find(isStranded);
    if (stranded && nudge === undefined) {
      nudge = setTimeout(() => {
        nudge = undefined;
        const still = [...line].find(isStranded);
        if (still) sendFirst(still, 0);
        keepAsking();
      }, TURN_MS);
    }
    if (!stranded) {
      clearTimeout(nudge);
      nudge = undefined;
    }
  }

  return {
    join() {
      const seat: SeatState = { asks: [], sent: new Map(), turnEnds: 0, isNew: true, flows: false };
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
            if (isStranded(seat)) sendFirst(seat, 0);
            else fillSlots();
          }),
      };
    },
  };
}
