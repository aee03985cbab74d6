/** The types of one kind of task, as its Rust handler declares them. */
export type TaskTypes = {
  /** What `start` takes; `null` for a kind without input. */
  input: unknown;
  /** What the handler returns when it succeeds. */
  output: unknown;
  /** What the handler returns when it fails. */
  error: unknown;
  /** What the handler reports with its progress, besides the numbers and the message. */
  detail: unknown;
  /** What the handler emits, item by item: `Uint8Array` if it emits bytes, `never` if it emits nothing. */
  item: unknown;
};

/**
 * All kinds of task that an app registers, by name. The plugin generates it from Rust, as a type alias because an `interface` is
 * not assignable to this type.
 *
 * @example
 * ```ts
 * type Tasks = {
 *   download: { input: { url: string }; output: string; error: string; detail: { file: string }; item: never };
 * };
 * const tasks = createTasks<Tasks>();
 * ```
 */
export type TaskMap = { [name: string]: TaskTypes };

/** The names in a {@link TaskMap}. */
export type TaskName<M extends TaskMap> = keyof M & string;
