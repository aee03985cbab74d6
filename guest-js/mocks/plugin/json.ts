/** What a value becomes on its way between the page and the plugin, which is JSON. */
export function throughJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value ?? null)) as T;
}

/** The arguments of a command, by name. */
export type Args = Record<string, unknown>;
