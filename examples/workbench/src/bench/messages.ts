/** What the page has received through the plugin's sessions. */
export interface Messages {
  /** The number of messages: pushed ones, and those that came as answers to acknowledgements. */
  readonly count: number;
  /** The most messages within one second. */
  readonly mostInASecond: number;
  /** The number of task states in watched lists. */
  readonly states: number;
}

interface Watch {
  readonly times: number[];
  states: number;
}

let watch: Watch | undefined;

/**
 * Counts the messages that reach the page from now on. It hooks into the last step before the client: where Tauri looks up the
 * callback for an answer or a message.
 */
export function watchMessages(): () => Messages {
  install();
  const watching: Watch = { times: [], states: 0 };
  watch = watching;
  return () => {
    watch = undefined;
    const { times, states } = watching;
    return { count: times.length, mostInASecond: mostWithin(times, 1_000), states };
  };
}

type Callback = (data: unknown) => unknown;

let isInstalled = false;

function install(): void {
  if (isInstalled) return;
  isInstalled = true;
  const { callbacks } = (
    window as unknown as { __TAURI_INTERNALS__: { callbacks: Map<number, Callback> } }
  ).__TAURI_INTERNALS__;
  const get = callbacks.get.bind(callbacks);
  callbacks.get = (id) => {
    const callback = get(id);
    if (!callback || !watch) return callback;
    return (data) => {
      if (watch) count(watch, data);
      return callback(data);
    };
  };
}

interface SessionMessage {
  events: unknown[];
  lists: { changed: unknown[]; progressed?: unknown[] }[];
}

function count(watching: Watch, data: unknown): void {
  const message = sessionMessage(data);
  if (!message) return;
  watching.times.push(performance.now());
  for (const { changed, progressed } of message.lists) {
    watching.states += changed.length + (progressed?.length ?? 0);
  }
}

/** Returns a session's message, which comes as JSON text on its channel, wrapped with an index, or as an answer. */
function sessionMessage(data: unknown): SessionMessage | undefined {
  if (typeof data === "string") {
    return data.startsWith('{"message":') ? (JSON.parse(data) as SessionMessage) : undefined;
  }
  if (typeof data !== "object" || data === null) return undefined;
  return "index" in data && "message" in data ? sessionMessage(data.message) : undefined;
}

/** Returns the largest number of the sorted `times` that lie within `ms` of each other. */
function mostWithin(times: readonly number[], ms: number): number {
  let most = 0;
  let from = 0;
  for (const [index, time] of times.entries()) {
    while (time - (times[from] ?? time) >= ms) from += 1;
    most = Math.max(most, index - from + 1);
  }
  return most;
}
