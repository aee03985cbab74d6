/** Compares what the mock does in a scenario with what the plugin did. */

/** One place where the two differ. */
export interface Difference {
  /** Where: the number of the step from 0, what it is, and the path in it, such as `3 start answer.snapshot.queue`. */
  readonly at: string;
  readonly plugin: unknown;
  readonly mock: unknown;
}

/** Returns where two values differ, each at its deepest place. */
export function differences(at: string, plugin: unknown, mock: unknown): Difference[] {
  if (isFields(plugin) && isFields(mock)) {
    const names = new Set([...Object.keys(plugin), ...Object.keys(mock)]);
    return [...names].flatMap((name) =>
      differences(`${at}.${name}`, own(plugin, name), own(mock, name)),
    );
  }
  if (Array.isArray(plugin) && Array.isArray(mock) && plugin.length === mock.length) {
    return plugin.flatMap((one, place) => differences(`${at}[${place}]`, one, mock[place]));
  }
  return JSON.stringify(plugin) === JSON.stringify(mock) ? [] : [{ at, plugin, mock }];
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns a field, even one that is named `__proto__`. */
function own(fields: Record<string, unknown>, name: string): unknown {
  return Object.getOwnPropertyDescriptor(fields, name)?.value;
}
