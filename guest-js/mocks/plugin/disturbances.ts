/** The part of the plugin that lets calls of the page go wrong or take long, as a test wants it. */

/** Creates the disturbances. Commands have the names that they have on the wire. */
export function createDisturbances() {
  const gates = new Map<string, Promise<void>[]>();
  const stalls = new Map<string, Promise<void>[]>();
  /** How long each call of a command takes to be answered, in milliseconds. */
  const delays = new Map<string, number>();
  const refusals = new Map<string, unknown[]>();
  const answers = new Map<string, unknown[]>();
  /** How many answers of each command are still to get lost. */
  const losses = new Map<string, number>();

  /** Blocks the next call of a command at one point. Returns a function that lets it go on. */
  function block(at: Map<string, Promise<void>[]>, name: string): () => void {
    let release = () => {};
    const blocked = new Promise<void>((resolve) => {
      release = resolve;
    });
    at.set(name, [...(at.get(name) ?? []), blocked]);
    return release;
  }

  return {
    /** Carries out the next call of a command, but answers it only when the returned function is called. */
    hold: (name: string): (() => void) => block(gates, name),

    /** Carries out the next call of a command only when the returned function is called. */
    stall: (name: string): (() => void) => block(stalls, name),

    /** Carries out every call of a command, but answers each `ms` milliseconds later. */
    delay(name: string, ms: number): void {
      delays.set(name, ms);
    },

    /** Rejects the next `times` calls of a command without carrying them out. */
    refuse(name: string, rejection: unknown, times = 1): void {
      refusals.set(name, [...(refusals.get(name) ?? []), ...Array(times).fill(rejection)]);
    },

    /** Answers the next call of a command with `answer` without carrying it out. */
    answer(name: string, answer: unknown): void {
      answers.set(name, [...(answers.get(name) ?? []), answer]);
    },

    /** Carries out the next call of a command, but rejects it as Tauri does when an answer is lost. */
    loseAnswer(name: string): void {
      losses.set(name, (losses.get(name) ?? 0) + 1);
    },

    /** From now on, carries out and answers every call at once: ends all that `refuse`, `hold`, `stall` and `loseAnswer` began. */
    calm(): void {
      refusals.clear();
      gates.clear();
      stalls.clear();
      delays.clear();
      losses.clear();
    },

    /** What happens to the next call of each command. */
    next: {
      answer: (name: string): unknown => answers.get(name)?.shift(),
      refusal: (name: string): unknown => refusals.get(name)?.shift(),
      begun: (name: string): Promise<void> | undefined => stalls.get(name)?.shift(),
      isLost(name: string): boolean {
        const left = losses.get(name) ?? 0;
        losses.set(name, Math.max(0, left - 1));
        return left > 0;
      },
      async answered(name: string): Promise<void> {
        await gates.get(name)?.shift();
        const delay = delays.get(name);
        if (delay !== undefined) await new Promise((resolve) => setTimeout(resolve, delay));
      },
    },
  };
}

export type Disturbances = ReturnType<typeof createDisturbances>;
