import type { ListChange, ProgressChange, TaskSnapshot } from "../ipc/bindings.js";

/** The tasks of one list, oldest first. A change is cheap if it removes no task and adds tasks only at the end. */
export interface SortedSnapshots {
  /** Returns a new array. */
  all(): TaskSnapshot[];
  /** Takes the whole list. A task that is as it was known keeps its object. */
  reset(all: readonly TaskSnapshot[]): void;
  /** Applies a change, ignoring states that are older than the known ones. Returns whether anything has changed. */
  apply(change: ListChange): boolean;
}

export function createSortedSnapshots(): SortedSnapshots {
  let sorted: TaskSnapshot[] = [];
  /** The index of each task. */
  const places = new Map<string, number>();

  function findPlaces(from = 0): void {
    sorted.slice(from).forEach(({ id }, index) => {
      places.set(id, from + index);
    });
  }

  /** Replaces the known state of a task, unless the known state is newer. Returns whether it did. */
  function replace(
    { id, sequence }: TaskSnapshot | ProgressChange,
    make: (known: TaskSnapshot) => TaskSnapshot,
  ): boolean {
    const place = places.get(id);
    const known = place === undefined ? undefined : sorted[place];
    if (place === undefined || !known || known.sequence > sequence) return false;
    sorted[place] = make(known);
    return true;
  }

  function keepEqual(snapshot: TaskSnapshot): TaskSnapshot {
    const known = sorted[places.get(snapshot.id) ?? -1];
    return known && JSON.stringify(known) === JSON.stringify(snapshot) ? known : snapshot;
  }

  function remove(ids: readonly string[]): boolean {
    const before = places.size;
    for (const id of ids) places.delete(id);
    if (places.size === before) return false;
    sorted = sorted.filter(({ id }) => places.has(id));
    findPlaces();
    return true;
  }

  function insert(added: readonly TaskSnapshot[]): boolean {
    let first = sorted.length;
    for (const snapshot of added) {
      const place = placeFor(snapshot, sorted);
      sorted.splice(place, 0, snapshot);
      first = Math.min(first, place);
    }
    findPlaces(first);
    return added.length > 0;
  }

  return {
    all: () => [...sorted],
    reset(all) {
      sorted = all.map(keepEqual).sort(byOrder);
      places.clear();
      findPlaces();
    },
    apply({ changed, progressed, removed }) {
      let different = remove(removed);
      const added = changed.filter(({ id }) => !places.has(id));
      for (const snapshot of changed) {
        different = replace(snapshot, () => snapshot) || different;
      }
      for (const change of progressed) {
        const { progress } = change;
        different = replace(change, (known) => ({ ...known, progress })) || different;
      }
      return insert(added) || different;
    },
  };
}

/** Returns the index at which to insert a task. This is mostly the end, so the search starts there. */
function placeFor(snapshot: TaskSnapshot, sorted: readonly TaskSnapshot[]): number {
  let from = 0;
  let to = sorted.length;
  let middle = to - 1;
  while (from < to) {
    const other = sorted[middle];
    if (other && byOrder(other, snapshot) < 0) from = middle + 1;
    else to = middle;
    middle = (from + to) >> 1;
  }
  return from;
}

/** Compares by the order of arrival, oldest first. */
function byOrder(a: TaskSnapshot, b: TaskSnapshot): number {
  return a.order - b.order;
}
