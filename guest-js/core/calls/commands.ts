import { TaskError } from "../errors/task-error.js";
import { commands as bindings } from "../ipc/bindings.js";
import { createDeadlines } from "./deadlines.js";
import { keepLate } from "./late.js";

type Commands = typeof bindings;
type Command = (...args: never[]) => Promise<unknown>;

/** How long the answer to a call may take after the plugin has it ready, in milliseconds in which the page runs. */
export const ANSWER_MS = 30_000;
/** How long `outcome` waits in the plugin at most, in milliseconds. */
const LONGEST_WAIT_MS = 25_000;

/**
 * The commands that wait in the plugin before they are answered, so that an answer may take long. All others are answered at once,
 * and reject if they are not.
 *
 * If no answer comes at all, an `ack` or an `outcome` is taken to have found nothing after this time, in milliseconds, and is
 * repeated; a `read` stays pending, since it keeps one of the few calls that a page may have in flight.
 */
const WAITING: { readonly [name in keyof Commands]?: number | undefined } = {
  ack: ANSWER_MS,
  read: undefined,
  outcome: LONGEST_WAIT_MS + ANSWER_MS,
};

const deadlines = createDeadlines();

/**
 * Acknowledges a message like the command `ack`. If the answer to a call that was given up has a message after all, calls `late` with
 * it.
 */
export async function acknowledge(
  late: (next: string) => void,
  ...given: Parameters<Commands["ack"]>
): Promise<{ readonly answered: boolean; readonly next: string | null }> {
  const answer = bindings.ack(...given);
  const reply = answer.then((next) => ({ answered: true, next }));
  return within(ANSWER_MS, reply, () => {
    const take = (next: string | null) => (next === null ? undefined : late(next));
    answer.then(take).catch(() => {});
    return { answered: false, next: null };
  });
}

/** The plugin's commands. A call that is to be answered at once ends without an answer, too: with an error of the kind `ipc`. */
export const commands: Commands = limitAll(bindings);

function limitAll(all: Commands): Commands {
  const limited = Object.entries(all).map(([name, send]) => [name, limit(name, send as Command)]);
  return Object.fromEntries(limited) as Commands;
}

function limit(name: string, send: Command): Command {
  if (!Object.hasOwn(WAITING, name)) {
    return (...args) => {
      const answer = send(...args);
      return within(ANSWER_MS, answer, () => {
        throw keepLate(unanswered(name), answer);
      });
    };
  }
  const waitMs = WAITING[name as keyof Commands];
  return waitMs === undefined ? send : (...args) => within(waitMs, send(...args), () => null);
}

/** Settles as `answer` does or, if that takes longer than `ms`, as `missing` returns or throws. */
function within<T>(ms: number, answer: Promise<T>, missing: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const off = deadlines.add(ms, () => {
      try {
        resolve(missing());
      } catch (error) {
        reject(error);
      }
    });
    answer.then(
      (value) => {
        off();
        resolve(value);
      },
      (rejection: unknown) => {
        off();
        reject(rejection);
      },
    );
  });
}

function unanswered(name: string): TaskError {
  const message =
    `The app has not answered the command "${name}" of the tasks plugin for ${ANSWER_MS / 1_000} s, so it is not known whether it was carried out. ` +
    "Something may block the app's main thread, or all threads of Tauri's runtime: make commands of the app async, and do blocking work " +
    "in spawn_blocking or in a task. Try again.";
  return new TaskError("ipc", message);
}
