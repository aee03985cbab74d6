/**
 * Moves the declarations that tsc wrote to `dist-js/.types` to `dist-js`: each file once as `.d.ts` and once as `.d.cts`,
 * so that `import` and `require` each find types in their own format. Leaves out the files that `index.d.ts` doesn't import, and
 * the commands in the generated bindings, which are not public.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path/posix";

const from = "dist-js/.types";
const to = "dist-js";
/** A relative import, as tsc writes it. */
const RELATIVE = /(["'])(\.\.?\/[\w./-]+)\.js\1/g;

/** @param {string} name */
function read(name) {
  const text = readFileSync(join(from, `${name}.d.ts`), "utf8");
  return name === "ipc/bindings" ? typesOnly(text) : text;
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

/** @type {Map<string, string>} */
const files = new Map();
const open = ["index"];
for (let name = open.pop(); name !== undefined; name = open.pop()) {
  const text = read(name);
  files.set(name, text);
  for (const [, , path] of text.matchAll(RELATIVE)) {
    const next = normalize(join(dirname(name), path ?? ""));
    if (!files.has(next)) open.push(next);
  }
}

mkdirSync(to, { recursive: true });
for (const file of readdirSync(to, { recursive: true, encoding: "utf8" })) {
  if (!file.startsWith(".types") && /\.d\.c?ts$/.test(file)) rmSync(join(to, file));
}
for (const [name, text] of files) {
  mkdirSync(dirname(join(to, name)), { recursive: true });
  writeFileSync(join(to, `${name}.d.ts`), text);
  writeFileSync(join(to, `${name}.d.cts`), text.replace(RELATIVE, "$1$2.cjs$1"));
}
rmSync(from, { recursive: true });
