/** The part of the plugin that starts tasks. */
import type { BatchOptions, Outcome, StartOptions, TaskSnapshot } from "../../core/ipc/bindings.js";
import type { Args } from "./json.js";
import type { Life } from "./life.js";
import type { News } from "./news.js";
import type { Outcomes } from "./outcomes.js";
import { ENDED, holderOf } from "./queue.js";
import { checkId, checkKind, idTaken, keyTaken, notEnded, notRerunnable } from "./refusals.js";
import type { Session, Sessions } from "./sessions.js";
import { isConcerned, isTold, type Shares, sees } from "./shares.js";
import type { KeptTask, NewTask, Table } from "./table.js";

/** What the starts need from the rest of the plugin. */
export interface StartParts {
  readonly page: string;
  /** The kinds that may be started; any, if it is not given. */
  readonly kinds: ReadonlySet<string> | undefined;
  readonly table: Table;
  readonly sessions: Sessions;
  readonly shares: Shares;
  readonly news: News;
  readonly life: Life;
  readonly outcomes: Outcomes;
}

/** What starts a task of the page, besides its session. */
interface Launch {
  readonly id: string;
  readonly task: string;
  readonly input: unknown;
  readonly options: StartOptions;
}

export function createStarts(parts: StartParts) {
  const { page, kinds, table, sessions, shares, news, life, outcomes } = parts;
  /** The outcomes of the next tasks to start, each of which ends before its start is answered. */
  const ends: Outcome[] = [];

  /** Accepts a task. */
  function make(task: NewTask): KeptTask {
    const made = table.add(task);
    life.requeue();
    news.touch(task.id);
    return made;
  }

  /**
   * Does what `start` and `rerun` have in common. If the call is a repeat, the id is known already. A joined task keeps
   * its own id.
   */
  function launch(session: Session, { id, task, input, options }: Launch): TaskSnapshot {
    const known = table.all.get(id);
    if (table.gone.has(id)) throw idTaken(id);
    if (known) {
      const isSame = known.snapshot.task === task && known.input === JSON.stringify(input ?? null);
      if (!isSame) throw idTaken(id);
      return sessions.follow(session, known.snapshot);
    }
    const joined = table.all.get(shares.joined(id) ?? "");
    if (joined && isConcerned(joined)) return sessions.follow(session, joined.snapshot);
    if (shares.joined(id)) throw idTaken(id);
    checkKind(task, kinds);
    checkId(id);
    const holder = holderOf(options.key ?? null, task, [...table.all.values()]);
    const { onConflict = "refuse" } = options;
    if (holder && onConflict === "refuse") {
      throw keyTaken(task, String(options.key), holder.snapshot.id);
    }
    if (holder && onConflict === "join") {
      share(id, holder.snapshot.id);
      return sessions.follow(session, holder.snapshot);
    }
    if (holder && onConflict === "replace") life.tell(holder, "replaced");
    const made = make({ id, task, input, owner: page, options });
    made.shares.add(id);
    const outcome = ends.shift();
    if (outcome) life.end(id, outcome);
    return sessions.follow(session, made.snapshot);
  }

  /** Gives a call a share in a task that it has joined. */
  function share(call: string, id: string): void {
    const task = table.get(id);
    const wasTold = isTold(task);
    shares.join(call, id);
    if (!wasTold) news.touch(id);
  }

  return {
    make,
    share,

    /** Makes the next task that is started end before its start is answered. */
    endNext(outcome: Outcome): void {
      ends.push(outcome);
    },

    handlers: {
      start(args: Args) {
        const session = sessions.of(args);
        const options = args["options"] as StartOptions;
        const [id, task] = [String(args["id"]), String(args["task"])];
        return outcomes.started(launch(session, { id, task, input: args["input"], options }));
      },

      rerun(args: Args) {
        const session = sessions.of(args);
        const { snapshot, input, options } = table.get(args["id"], sees);
        if (!ENDED.includes(snapshot.status)) throw notEnded(snapshot, "run again");
        if (snapshot.status === "completed") throw notRerunnable(snapshot);
        const again = {
          id: String(args["newId"]),
          task: snapshot.task,
          input: JSON.parse(input),
          options: { ...options, held: false },
        };
        return outcomes.started(launch(session, again));
      },

      batch(args: Args) {
        const session = sessions.of(args);
        const [id, task] = [String(args["id"]), String(args["task"])];
        const known = table.all.get(id);
        if (table.gone.has(id)) throw idTaken(id);
        if (known) return outcomes.started(sessions.follow(session, known.snapshot));
        checkKind(task, kinds);
        checkId(id);
        const inputs = args["inputs"] as unknown[];
        const options = args["options"] as BatchOptions;
        const { priority = 0, label = null, tags = [], concurrency = null } = options;
        const more = { members: inputs.length };
        const batch = make({
          id,
          task,
          input: null,
          owner: page,
          options: { label, tags },
          concurrency,
          more,
        });
        batch.shares.add(id);
        life.status(id, "running", { attempt: 1 });
        for (const input of inputs) {
          const member = { id: table.newId(), task, input, owner: page };
          make({ ...member, options: { priority, tags }, more: { parent: id } });
        }
        if (inputs.length === 0) life.endBatch(id);
        return outcomes.started(sessions.follow(session, batch.snapshot));
      },
    },
  };
}

export type Starts = ReturnType<typeof createStarts>;
