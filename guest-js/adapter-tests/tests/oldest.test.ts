/** Which frameworks the projects of the oldest ones have. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ENTRIES } from "../../build/entries.js";
import { root } from "../../build/tests/built.js";

const manifest = readFileSync(join(root, "package.json"), "utf8");
const { peerDependencies }: { peerDependencies: Record<string, string> } = JSON.parse(manifest);

it.each(ENTRIES.flatMap(({ framework }) => framework ?? []))(
  "are those at the low end of the range of %s",
  async (name) => {
    const { version }: { version: string } = await import(
      /* @vite-ignore */ `${name}/package.json`
    );
    const [lowest = ""] = /\d+(\.\d+)*/.exec(peerDependencies[name] ?? "") ?? [];
    expect(version).toBe([...lowest.split("."), "0", "0"].slice(0, 3).join("."));
  },
);
