/**
 * The entries of the package. Its build, its declarations and its checks are of these; `exports` in package.json is written by hand, and
 * `tests/entries.test.ts` compares the two.
 *
 * @typedef {object} Entry
 * @property {string} path Its key in `exports`.
 * @property {string} name What its files in `dist-js` are named after.
 * @property {string} folder Its folder in `guest-js`.
 * @property {boolean} commonjs Whether it can be required, too.
 * @property {string} [framework] The package of the framework that it is for.
 */

/** @type {readonly Entry[]} */
export const ENTRIES = [
  { path: ".", name: "index", folder: "core", commonjs: true },
  { path: "./store", name: "store", folder: "store", commonjs: true },
  { path: "./react", name: "react", folder: "react", commonjs: false, framework: "react" },
  { path: "./vue", name: "vue", folder: "vue", commonjs: false, framework: "vue" },
  { path: "./svelte", name: "svelte", folder: "svelte", commonjs: false, framework: "svelte" },
  { path: "./solid", name: "solid", folder: "solid", commonjs: false, framework: "solid-js" },
  { path: "./mocks", name: "mocks", folder: "mocks", commonjs: true },
];
