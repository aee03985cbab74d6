// @vitest-environment node
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { PAGE_INTERFACE } from "../client/shared-page.js";

const core = resolve(import.meta.dirname, "..");
/** Their types are not the page's own: what they name may grow, as on the wire. */
const OTHERS = ["ipc", "tests", "types"];

/** Returns the text of each interface in the sources, without its comments. */
function interfaces(): Map<string, string> {
  const found = new Map<string, string>();
  const files = readdirSync(core, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .filter((file) => !OTHERS.some((folder) => file.startsWith(folder)));
  for (const file of files) {
    const text = readFileSync(join(core, file), "utf8")
      .replace(/\/\*[\s\S]*?\*\//g, "")
      .replace(/^\s*\/\/.*$/gm, "")
      .replace(/^\s*\n/gm, "");
    for (const [body, name] of text.matchAll(/^export interface (\w+)[^{]*\{\n[\s\S]*?^\}\n/gm)) {
      if (name !== undefined) found.set(name, body);
    }
  }
  return found;
}

/** Returns the interface of the page and those that it names, and those that these name. */
function reachable(from: string): string {
  const all = interfaces();
  const names = new Set([from]);
  for (const name of names) {
    for (const [word] of (all.get(name) ?? "").matchAll(/\w+/g)) if (all.has(word)) names.add(word);
  }
  return [...names].map((name) => all.get(name)).join("\n");
}

it("changes only together with its number, and is written down by `vitest -u` then", async () => {
  const text = reachable("Page");
  for (const name of ["Page", "Session", "TaskRegistry", "TrackedTask", "ListRegistry", "Polls"]) {
    expect(text).toContain(`interface ${name} `);
  }
  await expect(`// Number ${PAGE_INTERFACE}\n${text}`).toMatchFileSnapshot("page-interface.txt");
});
