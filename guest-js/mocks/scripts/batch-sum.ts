import type { Progress, TaskSnapshot } from "../../core/ipc/bindings.js";
import { fractionOf } from "../plugin/progress.js";

/** A member of a batch, as far as its progress goes. */
export interface Member {
  readonly progress: Progress;
  readonly hasEnded: boolean;
}

export function memberOf({ progress, endedAt }: TaskSnapshot): Member {
  return { progress, hasEnded: endedAt !== null };
}

/**
 * Adds up the progress of a batch's members. A member that has ended adds what it did to both sums. While the total of any other is
 * unknown, or nothing is counted, there is no total, and the fraction is the mean of theirs. In the plugin, it also doesn't fall when
 * one measure takes over from the other.
 */
export function sumOf(members: readonly Member[]): Partial<Progress> {
  const completed = sum(members.map(({ progress }) => progress.completed));
  const totals = members.map((member) => totalOf(member));
  const total = totals.includes(null) ? null : sum(totals.map(Number)) || null;
  const parts = members.map(({ progress, hasEnded }) => (hasEnded ? 1 : (progress.fraction ?? 0)));
  const mean = fractionOf({ completed: sum(parts), total: members.length });
  const units = new Set(members.map(({ progress }) => progress.unit));
  const [unit = "none"] = units.size === 1 ? units : [];
  const fraction = total === null ? mean : fractionOf({ completed, total });
  return { completed, total, unit, fraction };
}

function totalOf({ progress: { completed, total }, hasEnded }: Member): number | null {
  return hasEnded ? completed : total;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
