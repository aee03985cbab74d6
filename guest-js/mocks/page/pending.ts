/** The calls that have not been answered. */
export interface Pending {
  /** Settles as `answer` does, or rejects when all are given up. */
  until<T>(answer: Promise<T>): Promise<T>;
  /** Rejects all calls that have not been answered. */
  giveUp(reason: unknown): void;
}

export function createPending(): Pending {
  const all = new Set<(reason: unknown) => void>();

  return {
    until: (answer) =>
      new Promise((resolve, reject) => {
        all.add(reject);
        answer.then(resolve, reject).finally(() => all.delete(reject));
      }),
    giveUp(reason) {
      for (const reject of [...all]) reject(reason);
      all.clear();
    },
  };
}
