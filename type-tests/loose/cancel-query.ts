// What an app that doesn't set `exactOptionalPropertyTypes` may not pass to `cancelAll` either, and what it may.
import { type CancelQuery, createTasks } from "tauri-plugin-tasks-api";
import type { Tasks } from "../tasks.gen.js";

const tasks = createTasks<Tasks>();

export async function refused(key: string | undefined) {
  // @ts-expect-error the field is undefined
  await tasks.cancelAll({ tag: undefined });
  // @ts-expect-error the other field is undefined
  await tasks.cancelAll({ tag: "a", key: undefined });
  // @ts-expect-error the other field may be undefined
  await tasks.cancelAll({ tag: "a", key });
  // @ts-expect-error the field may be null
  await tasks.cancelAll({ tag: "a", key: key ?? null });
  // @ts-expect-error the query is empty
  await tasks.cancelAll({});
  // @ts-expect-error all tasks or some
  await tasks.cancelAll({ all: true, tag: "a" });
  // @ts-expect-error no such field
  await tasks.cancelAll({ tag: "a", tags: "b" });
}

export async function taken(key: string, tags: readonly string[]) {
  const selected: CancelQuery<"tick"> = { task: "tick" };
  await tasks.cancelAll(selected);
  await tasks.cancelAll({ tag: tags, key, task: ["tick", "download"], status: "queued" });
  await tasks.cancelAll({ all: true }, "the disk is full");
}
