/** Packs the built package, and checks what npm would publish: its manifest, how its types are found, and the types themselves. */
import { execFileSync, execSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ENTRIES } from "./entries.js";
import { checkTypes } from "./package-types.js";

const root = resolve(import.meta.dirname, "../..");

/**
 * Runs a program of `node_modules`.
 *
 * @param {string} program
 * @param {string[]} parameters
 */
function run(program, ...parameters) {
  execFileSync(process.execPath, [join(root, "node_modules", program), ...parameters], {
    cwd: root,
    stdio: "inherit",
  });
}

/**
 * Checks that each of the entries finds its types.
 *
 * @param {string} tarball
 * @param {string} profile
 * @param {boolean} commonjs
 */
function checkResolution(tarball, profile, commonjs) {
  const paths = ENTRIES.filter((entry) => entry.commonjs === commonjs).map(({ path }) => path);
  if (paths.length === 0) return;
  const attw = "@arethetypeswrong/cli/dist/index.js";
  const options = ["--profile", profile, "--no-emoji", "--no-definitely-typed"];
  run(attw, tarball, ...options, "--entrypoints", ...paths);
}

const folder = mkdtempSync(join(tmpdir(), "tasks-package-"));
try {
  execSync(`npm pack --pack-destination "${folder}"`, { cwd: root, stdio: "ignore" });
  const tarball = join(folder, readdirSync(folder)[0] ?? "");
  run("publint/src/cli.js", tarball, "--strict");
  // TypeScript's old resolution knows no `exports`: it finds `.` alone.
  checkResolution(tarball, "node16", true);
  checkResolution(tarball, "esm-only", false);
  checkTypes(tarball, folder);
} catch (error) {
  // What is wrong has been printed by the program that has found it.
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
