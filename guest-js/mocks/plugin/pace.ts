/** How often something is told, and when it was told last. */
export interface Pace {
  everyMs: number;
  toldAt: number;
}

export function isDue({ everyMs, toldAt }: Pace): boolean {
  return performance.now() >= toldAt + everyMs;
}

/** Begins a pace with a call, or changes the one that there is. */
export function newPace(everyMs: unknown, known?: Pace): Pace {
  return { everyMs: Number(everyMs ?? known?.everyMs ?? 0), toldAt: performance.now() };
}
