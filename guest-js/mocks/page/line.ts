/** The line between the page and the app, which can be cut. */
export interface Line {
  /** Makes a call as soon as the line is there. */
  pass<T>(call: () => Promise<T>): Promise<T>;
  cut(): void;
  mend(): void;
}

export function createLine(): Line {
  let isCut = false;
  let waiting: (() => void)[] = [];

  return {
    async pass(call) {
      while (isCut) await new Promise<void>((resolve) => void waiting.push(resolve));
      return call();
    },
    cut() {
      isCut = true;
    },
    mend() {
      isCut = false;
      const calls = waiting;
      waiting = [];
      for (const go of calls) go();
    },
  };
}
