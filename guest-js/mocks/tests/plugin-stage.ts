/** Where scenarios are replayed with the plugin of the mock alone. Each step of a task is made by hand. */
import { Channel, invoke } from "@tauri-apps/api/core";
import { vi } from "vitest";
import type { Progress, StartOptions, TaskStatus } from "../../core/ipc/bindings.js";
import { connect, install } from "../page/install.js";
import { createPlugin } from "../plugin/plugin.js";
import { places } from "../plugin/queue.js";
import type { KeptTask } from "../plugin/table.js";
import type { createIds } from "./plain.js";
import {
  A_DAY_MS,
  type Arguments,
  FRAME_MS,
  KINDS,
  LIMITED,
  RETRIED,
  SHOWN,
  type Stage,
} from "./stage.js";

/** Opens the page with a session `s`. A modest one sees no tasks of other windows. */
export async function openPlugin(
  ids: ReturnType<typeof createIds>,
  isModest: boolean,
): Promise<Stage> {
  vi.useFakeTimers();
  const hooks = { admit: () => admit([...plugin.tasks.values()]), stop: hasBegun };
  const plugin = createPlugin({
    page: "main",
    connect,
    kinds: new Set(KINDS),
    shown: new Set(SHOWN),
    hooks,
  });
  const restore = install({ page: "main", tasks: plugin.call });
  plugin.setLimit({ type: "task", name: LIMITED }, 1);
  // As in the recording, where only the clock of the engine moves on: pages answer in time.
  plugin.lease(A_DAY_MS);
  plugin.addSchedule("hourly", "work", { every: 3_600_000 });
  let received: string[] = [];

  const stage: Stage = {
    async call(command, args) {
      const sent = ids.toMock(args) as Arguments;
      const channel = command === "open" ? { channel: new Channel() } : {};
      return invoke(`plugin:tasks|${command}`, { ...sent, ...channel });
    },
    async waits() {
      await vi.advanceTimersByTimeAsync(5 * FRAME_MS);
      throw new Error("It isn't answered.");
    },
    async otherCalls(command, args) {
      if (command !== "start") throw new Error(`The other window doesn't ${command}.`);
      const id = plugin.begin(
        String(args["task"]),
        "other",
        args["options"] as StartOptions,
        args["input"],
      );
      ids.made(id, String(args["id"]));
      if (isModest) plugin.hide(id);
      return { answer: { snapshot: taskOf(id).snapshot, outcome: null } };
    },
    async act({ task, does, with: what }) {
      const act = acts[does];
      if (!act) throw new Error(`No task can ${does}.`);
      act(ids.of(task), what);
      await vi.advanceTimersByTimeAsync(0);
    },
    async message() {
      await plugin.frame();
      await vi.advanceTimersByTimeAsync(0);
      const text = received.shift();
      return text === undefined ? undefined : JSON.parse(text);
    },
    async passes(ms) {
      for (const [id, { snapshot, options }] of plugin.tasks) {
        const { error, nextAttemptAt } = snapshot;
        if (snapshot.endedAt !== null) continue;
        if (nextAttemptAt !== null && nextAttemptAt <= Date.now() + ms) {
          plugin.status(id, "queued", { error });
        }
        if (options.timeoutMs === ms) plugin.status(id, "cancelling", { timeLimit: "timeout" });
        if (options.deadlineMs === ms) miss(id);
      }
      await vi.advanceTimersByTimeAsync(ms);
    },
    async open(session) {
      received = [];
      const into = received;
      const channel = new Channel<string>((text) => void into.push(text));
      await invoke("plugin:tasks|open", { session, protocol: 5, channel });
    },
    async reload() {
      plugin.dropSessions();
    },
    close() {
      plugin.stop();
      restore();
      vi.useRealTimers();
    },
  };

  function taskOf(id: string) {
    const task = plugin.tasks.get(id);
    if (!task) throw new Error(`There is no task ${id}.`);
    return task;
  }

  function fail(id: string, kind: "error" | "panic", message: string): void {
    const { task, attempt } = taskOf(id).snapshot;
    const error = { kind, message };
    if (task === RETRIED && attempt === 1 && kind === "error") {
      plugin.status(id, "retrying", { error, nextAttemptAt: Date.now() + 1_000 });
      return;
    }
    const data = { ...error, error: kind === "panic" ? null : { message, causes: [] } };
    plugin.end(id, { status: "failed", data });
  }

  function miss(id: string): void {
    const message = `task "${taskOf(id).snapshot.task}" had not ended by its deadline, 1m after it was accepted`;
    plugin.end(id, { status: "timedOut", data: { limit: "deadline", message } });
  }

  function stop(id: string): void {
    const { cancelReason, timeLimit, members, task } = taskOf(id).snapshot;
    // A batch ends by itself.
    if (members !== null) return;
    if (timeLimit) {
      const message = `task "${task}" took longer than its timeout of 1m`;
      plugin.end(id, { status: "timedOut", data: { limit: timeLimit, message } });
    } else if (cancelReason) {
      plugin.end(id, { status: "cancelled", data: { reason: cancelReason } });
    }
  }

  function progress(id: string, what: Record<string, unknown>): void {
    const { bytes, ...told } = what;
    const { completed, total } = { ...taskOf(id).snapshot.progress, ...told } as Progress;
    const unit = bytes ? { unit: "bytes" as const } : {};
    plugin.progress(id, { ...told, ...unit, fraction: total ? completed / total : null });
  }

  const acts: Record<string, (id: string, what: unknown) => void> = {
    begin: (id) => {
      const { attempt } = taskOf(id).snapshot;
      plugin.status(id, "running" satisfies TaskStatus, { attempt: attempt + 1 });
    },
    progress: (id, what) => progress(id, what as Record<string, unknown>),
    emit: (id, what) => plugin.emit(id, ...(what as unknown[])),
    emitBytes: (id, what) => plugin.emitBytes(id, ...(what as number[])),
    complete: (id, what) => plugin.complete(id, what),
    fail: (id, what) => fail(id, "error", String(what)),
    panic: (id, what) => {
      fail(id, "panic", `task "${taskOf(id).snapshot.task}" panicked: ${String(what)}`);
    },
    cleanUp: stop,
    stop,
    // The mock moves the others by itself.
    move: () => {},
    overdue: (id) => plugin.status(id, "cancelling", { overdue: true }),
  };

  await stage.open("s");
  return stage;
}

/** Whether a task runs, so that it has to be stopped before it ends. */
function hasBegun({ snapshot }: KeptTask): boolean {
  return snapshot.status !== "queued";
}

/** Gives each task its turn that finds a free slot. */
function admit(all: readonly KeptTask[]): string[] {
  const isFull = all.some(
    ({ snapshot: { task, endedAt, status }, hasTurn }) =>
      task === LIMITED && endedAt === null && (hasTurn || status !== "queued"),
  );
  const queued = places(all);
  const next = all.filter(({ snapshot: { id, task } }) => {
    const position = queued.get(id)?.position ?? null;
    return task === LIMITED ? position === 1 && !isFull : position !== null;
  });
  for (const task of next) task.hasTurn = true;
  return next.map(({ snapshot }) => snapshot.id);
}
