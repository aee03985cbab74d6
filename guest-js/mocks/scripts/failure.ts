/** What a handler returns when it fails: see {@link failure}. */
export class MockFailure<E = unknown> extends Error {
  /** The error as JSON, as the handler in Rust would serialise it. */
  readonly error: E;

  constructor(message: string, error: E) {
    super(message);
    this.name = "MockFailure";
    this.error = error;
  }
}

/**
 * Returns what a script throws, or has as its `error`, where the handler in Rust would return `Err`. The page gets a
 * `TaskFailedError`. Whatever else a script throws counts as a panic, as in Rust.
 *
 * @param message What went wrong, for people.
 * @param error The error of the kind's own type; the message, if it is omitted.
 *
 * @example
 * ```ts
 * const mock = mockTasks<Tasks>({
 *   download: () => {
 *     throw failure("the server is busy", { code: 503 });
 *   },
 * });
 * ```
 */
export function failure(message: string): MockFailure<string>;
export function failure<E>(message: string, error: E): MockFailure<E>;
export function failure(message: string, error: unknown = message): MockFailure {
  return new MockFailure(message, error);
}
