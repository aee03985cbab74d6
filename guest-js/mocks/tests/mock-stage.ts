/**
 * Where scenarios are replayed with `mockTasks`, as a test of an app uses it: tasks are driven by hand, and frames and clocks go by
 * themselves. Only the turns of tasks are the scenario's to give, since a task begins when it is first driven.
 */
import "./held-turns.js";
import { Channel, invoke } from "@tauri-apps/api/core";
import { vi } from "vitest";
import type { StartOptions } from "../../core/types/options.js";
import { failure, mockTasks } from "../index.js";
import { endOfTurn } from "../page/turns.js";
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

/** How many pages were opened: each has sessions of its own. */
let pages = 0;

export async function openMock(
  ids: ReturnType<typeof createIds>,
  isModest: boolean,
): Promise<Stage> {
  vi.useFakeTimers();
  pages += 1;
  const page = pages;
  const mock = mockTasks(Object.fromEntries(KINDS.map((kind) => [kind, "manual"])), {
    concurrency: { [LIMITED]: 1 },
    permissions: { deny: isModest ? ["observe-all"] : [] },
    showInput: SHOWN,
    leaseMs: A_DAY_MS,
  });
  mock.addSchedule("hourly", "work", { every: 3_600_000 });
  const otherWindow = mock.otherWindow("other");
  let received: string[] = [];
  const named = (session: unknown) => `${page}/${String(session)}`;

  const stage: Stage = {
    async call(command, args) {
      const sent = ids.toMock(args) as Arguments;
      const session = "session" in sent ? { session: named(sent["session"]) } : {};
      const channel = command === "open" ? { channel: new Channel() } : {};
      return invoke(`plugin:tasks|${command}`, { ...sent, ...session, ...channel });
    },
    async waits() {
      await endOfTurn();
      await vi.advanceTimersByTimeAsync(5 * FRAME_MS);
      throw new Error("It isn't answered.");
    },
    async otherCalls(command, args) {
      if (command !== "start") throw new Error(`The other window doesn't ${command}.`);
      const options = args["options"] as StartOptions;
      const { id, snapshot } = otherWindow.start(String(args["task"]), args["input"], options);
      ids.made(id, String(args["id"]));
      return { answer: { snapshot, outcome: null } };
    },
    async act({ task, does, with: what }) {
      const act = acts[does];
      if (!act) throw new Error(`No task can ${does}.`);
      act(ids.of(task), what);
      await endOfTurn();
    },
    async message() {
      await endOfTurn();
      if (received.length === 0) await vi.advanceTimersByTimeAsync(FRAME_MS);
      const text = received.shift();
      return text === undefined ? undefined : JSON.parse(text);
    },
    async passes(ms) {
      await vi.advanceTimersByTimeAsync(ms);
    },
    async open(session) {
      received = [];
      const into = received;
      const channel = new Channel<string>((text) => void into.push(text));
      await invoke("plugin:tasks|open", { session: named(session), protocol: 5, channel });
    },
    // Not by `reload`, after which no call of the old page is answered.
    async reload() {
      mock.disconnect();
      mock.reconnect();
    },
    close() {
      mock.restore();
      vi.useRealTimers();
    },
  };

  function progress(id: string, { bytes, ...report }: Record<string, unknown>): void {
    mock.task(id).progress({ ...report, ...(bytes ? { unit: "bytes" } : {}) });
  }

  function fail(id: string, message: string): void {
    const task = mock.task(id);
    const error = failure(message, { message, causes: [] });
    if (task.name === RETRIED && task.snapshot.attempt === 1) task.retry(error, 1_000);
    else task.fail(error);
  }

  function stop(id: string): void {
    const task = mock.task(id);
    // A batch ends by itself.
    if (task.snapshot.members === null) task.stop();
  }

  const acts: Record<string, (id: string, what: unknown) => void> = {
    begin: (id) => mock.task(id).progress({}),
    progress: (id, what) => progress(id, what as Record<string, unknown>),
    emit(id, what) {
      for (const item of what as unknown[]) void mock.task(id).emit(item);
    },
    emitBytes: (id, what) => void mock.task(id).emit(new Uint8Array(what as number[])),
    complete: (id, what) => mock.task(id).complete(what),
    fail: (id, what) => fail(id, String(what)),
    panic: (id, what) => mock.task(id).panic(String(what)),
    cleanUp: stop,
    stop,
    // The mock moves the others by itself.
    move: () => {},
  };

  await stage.open("s");
  return stage;
}
