/**
 * Moves the declarations that tsc wrote to `dist-js/.types` to `dist-js`: each file as `.d.ts`, and what an entry needs that can be
 * required once more as `.d.cts`, so that `import` and `require` each find types in their own format. Leaves out the files that no entry
 * imports, and the commands in the generated bindings, which are not public.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path/posix";
import { ENTRIES } from "./entries.js";

const from = "dist-js/.types";
const to = "dist-js";
/** A relative import, as tsc writes it. */
const RELATIVE = /(["'])(\.\.?\/[\w./-]+)\.js\1/g;

/** @param {string} name */
function read(name) {
  const text = readFileSync(join(from, `${name}.d.ts`), "utf8");
  return name === "core/ipc/bindings" ? typesOnly(text) : text;
}

/** @param {string} text */
function typesOnly(text) {
  const types = text
    .replace(/^import .*;\n/gm, "")
    .replace(/^(\/\*\* Commands \*\/\n)?export declare const commands: \{\n(.*\n)*?\};\n/m, "");
  if (/^import\b|\bdeclare const\b/m.test(types)) {
    throw new Error(
      "bindings.d.ts has more than types in it: adapt guest-js/build/declarations.js",
    );
  }
  return types;
}

/**
 * Returns the declarations that the entries need, by their names.
 *
 * @param {readonly import("./entries.js").Entry[]} entries
 */
function neededBy(entries) {
  /** @type {Map<string, string>} */
  const files = new Map();
  const open = entries.map(({ folder }) => `${folder}/index`);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (files.has(name)) continue;
    const text = read(name);
    files.set(name, text);
    for (const [, , path] of text.matchAll(RELATIVE)) {
      open.push(normalize(join(dirname(name), path ?? "")));
    }
  }
  return files;
}

/**
 * @param {string} file
 * @param {string} text
 */
function write(file, text) {
  mkdirSync(dirname(join(to, file)), { recursive: true });
  writeFileSync(join(to, file), text);
}

for (const [name, text] of neededBy(ENTRIES)) write(`${name}.d.ts`, text);
for (const [name, text] of neededBy(ENTRIES.filter(({ commonjs }) => commonjs))) {
  write(`${name}.d.cts`, text.replace(RELATIVE, "$1$2.cjs$1"));
}
rmSync(from, { recursive: true });
