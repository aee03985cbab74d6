/**
 * Replays what the plugin has recorded in `tests/wire/scenarios/` against the mock. A difference is a mistake of the mock, unless
 * it is listed with its reason in `LISTED`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Difference } from "./differences.js";
import { LISTED, type Listed } from "./listed.js";
import { openMock } from "./mock-stage.js";
import { openPlugin } from "./plugin-stage.js";
import { replay, type Step } from "./replay.js";

const FOLDER = resolve(import.meta.dirname, "../../../tests/wire/scenarios");
const NAMES = readdirSync(FOLDER).map((file) => file.replace(/\.json$/, ""));
/** The scenarios of a page that sees no tasks of other windows. */
const MODEST = ["shares-attach-by-a-share"];

const STAGES = [
  ["mockTasks", openMock],
  ["the plugin of the mock alone", openPlugin],
] as const;

/** Returns the entry of the list for a difference. */
function entryOf(on: string, scenario: string, difference: Difference): Listed | undefined {
  return LISTED.find(({ at, alone }) => {
    return at.test(`${scenario} ${difference.at}`) && (alone === undefined || alone === on);
  });
}

describe.each(STAGES)("%s does what the plugin does", (on, openStage) => {
  const found = new Map<string, readonly Difference[]>();
  beforeAll(async () => {
    for (const name of NAMES) {
      const steps = JSON.parse(readFileSync(resolve(FOLDER, `${name}.json`), "utf8")) as Step[];
      found.set(name, await replay(steps, openStage, MODEST.includes(name)));
    }
  });

  it.each(NAMES)("%s", (name) => {
    const others = found.get(name)?.filter((difference) => !entryOf(on, name, difference));
    expect(others).toEqual([]);
  });

  it("no listed difference has gone", () => {
    const entries = [...found].flatMap(([name, all]) => all.map((one) => entryOf(on, name, one)));
    const listed = LISTED.filter(({ alone }) => alone === undefined || alone === on);
    expect(listed.filter((one) => !entries.includes(one))).toEqual([]);
  });
});
