/** The part of the plugin that takes the page's calls, and gives them to what answers them. */
import type { Disturbances } from "./disturbances.js";
import { type Args, throughJson } from "./json.js";
import type { Waits } from "./waits.js";

/** What all commands of the plugin begin with in a call. */
export const PREFIX = "plugin:tasks|";

export type Handlers = Record<string, (args: Args) => unknown>;

/** The sessions of pages that are gone, of whatever plugin: where one page takes the place of another, the old one's code still runs. */
const unloaded = new Set<unknown>();

export function createCalls(handlers: Handlers, { next }: Disturbances, waits: Waits) {
  const calls: { command: string; args: Args }[] = [];
  /** How many pages are gone. */
  let unloads = 0;
  let rawBytes = true;

  function throughTauri(value: unknown): unknown {
    if (!(value instanceof ArrayBuffer)) return throughJson(value);
    return rawBytes ? value : [...new Uint8Array(value)];
  }

  /** Carries out a call. Returns a function that returns or throws its answer. */
  async function carryOut(name: string, args: Args): Promise<() => unknown> {
    const handler = handlers[name];
    if (!handler) throw `Command ${name} not found`;
    const begun = next.begun(name);
    if (begun) await begun;
    try {
      const value = throughTauri(await handler(args));
      return () => value;
    } catch (error) {
      return () => {
        throw error;
      };
    }
  }

  return {
    /** Answers a call of the page in place of Tauri. */
    async call(command: string, payload: unknown): Promise<unknown> {
      const name = command.replace(PREFIX, "");
      const args = (payload ?? {}) as Args;
      calls.push({ command, args });
      const page = unloads;
      const given = next.answer(name);
      if (given !== undefined) return given;
      const refusal = next.refusal(name);
      if (refusal !== undefined) throw refusal;
      const isLost = next.isLost(name);
      const done = name === "read" ? waits.countRead(args) : () => {};
      const answer = await carryOut(name, args);
      await next.answered(name);
      done();
      if (page !== unloads || unloaded.has(args["session"])) return new Promise(() => {});
      if (isLost) throw "the answer was lost";
      return answer();
    },

    /** Returns the arguments of each call of a command so far. */
    calls: (name: string): Args[] =>
      calls.filter((call) => call.command === `${PREFIX}${name}`).map((call) => call.args),

    /** Returns the names of all commands called so far. */
    commands: (): string[] => calls.map((call) => call.command.replace(PREFIX, "")),

    /** Answers no call of the page that was there until now. */
    unload(): void {
      unloads += 1;
      for (const { args } of calls) if ("session" in args) unloaded.add(args["session"]);
    },

    /** Sends bytes as numbers, as Tauri does without the custom protocol. */
    sendBytesAsNumbers(): void {
      rawBytes = false;
    },
  };
}
