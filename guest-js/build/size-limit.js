/**
 * What size-limit checks: the table in sizes.json. A size is in bytes, minified and compressed with gzip. What an entry has in common with
 * those it is measured `besides` doesn't count. If an entry must be larger than its limit, the table lists what was added, and why.
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path/posix";
import { ENTRIES } from "./entries.js";
import { reachable } from "./reachable.js";

/**
 * @typedef {object} Row
 * @property {string} what
 * @property {string} entry The name of the entry.
 * @property {string} [import] What is imported of it; all of it by default.
 * @property {string[]} [besides] The names of the entries that the page has anyway.
 * @property {number} limit
 * @property {string} [why] Why the limit is that, unless it is the budget of the entry.
 * @property {{ bytes: number, why: string }[]} [additions]
 */

const root = resolve(import.meta.dirname, "../..");
/** @type {Row[]} */
const rows = JSON.parse(readFileSync(join(import.meta.dirname, "sizes.json"), "utf8"));
/** What the app has anyway. */
const peers = ENTRIES.flatMap(({ framework }) => framework ?? []);

/** @param {string} name */
function fileOf(name) {
  return `dist-js/${name}.js`;
}

/**
 * Leaves out of a bundle what other entries have.
 *
 * @param {string[]} names
 */
function leaveOut(names) {
  const read = (/** @type {string} */ file) => readFileSync(join(root, file), "utf8");
  const files = new Set(names.flatMap((name) => [...reachable(fileOf(name), read).files]));
  return {
    name: "leave-out",
    /** @param {import("esbuild").PluginBuild} build */
    setup(build) {
      build.onResolve({ filter: /^\.\.?\// }, ({ kind, path, resolveDir }) => {
        const file = resolve(resolveDir.replaceAll("\\", "/"), path);
        const external = kind !== "entry-point" && files.has(file.slice(root.length + 1));
        return external ? { path, external } : undefined;
      });
    },
  };
}

/** @param {Row} row */
function toCheck({ what, entry, import: names, besides = [], limit, additions = [] }) {
  const most = additions.reduce((sum, { bytes }) => sum + bytes, limit);
  return {
    name: what,
    path: join("../..", fileOf(entry)),
    ...(names === undefined ? {} : { import: names }),
    limit: `${most} B`,
    gzip: true,
    ignore: ["@tauri-apps/api", ...peers],
    /** @param {import("esbuild").BuildOptions} config */
    modifyEsbuildConfig: (config) => ({ ...config, format: "esm", plugins: [leaveOut(besides)] }),
  };
}

export default rows.map(toCheck);
