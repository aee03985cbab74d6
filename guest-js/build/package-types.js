/**
 * Compiles the files in type-tests/packed against the packed package, with each version of TypeScript that apps have. Each entry is
 * compiled in a project that has nothing installed but the package, its framework and Tauri's API.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ENTRIES } from "./entries.js";

const root = resolve(import.meta.dirname, "../..");
const tests = join(root, "type-tests/packed");
const COMPILERS = ["typescript", "typescript-6", "typescript-7"];

/**
 * @param {string} tarball
 * @param {string} folder An empty one, outside of any `node_modules`.
 */
export function checkTypes(tarball, folder) {
  for (const entry of ENTRIES) {
    const project = join(folder, entry.name);
    createProject(project, tarball, entry);
    for (const compiler of COMPILERS) {
      const tsc = join(root, "node_modules", compiler, "bin/tsc");
      const version = execFileSync(process.execPath, [tsc, "--version"], { encoding: "utf8" });
      console.log(`types of ${entry.path} with TypeScript ${version.trim().replace(/^.* /, "")}`);
      execFileSync(process.execPath, [tsc, "-p", project], { stdio: "inherit" });
    }
  }
}

/**
 * @param {string} project
 * @param {string} tarball
 * @param {import("./entries.js").Entry} entry
 */
function createProject(project, tarball, { name, commonjs, framework }) {
  const installed = join(project, "node_modules/tauri-plugin-tasks-api");
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "--strip-components=1", "-C", installed]);
  link(project, "@tauri-apps/api");
  if (framework !== undefined) {
    link(project, framework);
    if (existsSync(join(root, "node_modules/@types", framework)))
      link(project, `@types/${framework}`);
  }
  for (const file of ["tsconfig.json", `${name}.mts`, ...(commonjs ? [`${name}.cts`] : [])]) {
    cpSync(join(tests, file), join(project, file));
  }
}

/**
 * @param {string} project
 * @param {string} name
 */
function link(project, name) {
  const path = join(project, "node_modules", name);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(join(root, "node_modules", name), path, "junction");
}
