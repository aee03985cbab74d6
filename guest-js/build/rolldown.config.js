import { defineConfig } from "rolldown";
import { ENTRIES } from "./entries.js";

/**
 * The options that the builds share. `tests/build.test.ts` runs these builds, too.
 *
 * @type {import("rolldown").InputOptions}
 */
const source = {
  // Tauri's API and the frameworks are the app's own: a page must not have two copies of them.
  external: [/^@tauri-apps\/api/, ...ENTRIES.flatMap(({ framework }) => framework ?? []).map(all)],
  transform: {
    target: "es2021",
    // Class fields become plain assignments: defining them would take a helper function of a kilobyte.
    assumptions: { setPublicClassFields: true },
    typescript: { removeClassFieldsWithoutInitializer: true },
  },
  platform: "browser",
  // The target in tsconfig.json is for the type checker, and would override the one above.
  tsconfig: false,
  // "use client" of the entry for React is preserved, which a test checks.
  checks: { moduleLevelDirective: false },
};

/**
 * Matches a package and what it exports under other paths, like `svelte/reactivity`.
 *
 * @param {string} name
 */
function all(name) {
  return new RegExp(`^${name}(/|$)`);
}

/** The notice that the licence of uuid requires. Its full text is in LICENSE-uuid. */
const notice = "/*! Includes uuid, MIT, (c) 2010-2020 Robert Kieffer and other contributors. */";

/**
 * Returns the notice for a file that has uuid in it.
 *
 * @param {{ moduleIds: string[] }} chunk
 */
function noticeOf({ moduleIds }) {
  return moduleIds.some((id) => /node_modules[\\/]uuid[\\/]/.test(id)) ? notice : "";
}

/**
 * One build of several entries, so that what two of them need is in a file of its own: a page that loads both has it once.
 *
 * @param {readonly import("./entries.js").Entry[]} entries
 * @param {"esm" | "cjs"} format
 * @returns {import("rolldown").RolldownOptions}
 */
function entriesAs(entries, format) {
  const extension = format === "esm" ? "js" : "cjs";
  return {
    ...source,
    input: Object.fromEntries(
      entries.map(({ name, folder }) => [name, `guest-js/${folder}/index.ts`]),
    ),
    output: {
      dir: "dist-js",
      // What an earlier build has left would be packed, too. The first build of the list clears it away.
      cleanDir: format === "esm",
      format,
      entryFileNames: `[name].${extension}`,
      chunkFileNames: `shared/[name].${extension}`,
      banner: noticeOf,
    },
  };
}

/** The global that Tauri defines with `withGlobalTauri`, used instead of bundling a second copy of Tauri's `Channel`. */
const globals = { "@tauri-apps/api/core": "window.__TAURI__.core" };

export default defineConfig([
  entriesAs(ENTRIES, "esm"),
  entriesAs(
    ENTRIES.filter(({ commonjs }) => commonjs),
    "cjs",
  ),
  {
    ...source,
    input: "guest-js/core/index.ts",
    output: {
      file: "api-iife.js",
      format: "iife",
      name: "__TAURI_PLUGIN_TASKS__",
      globals,
      minify: true,
      banner: `${notice}\nif ('__TAURI__' in window) {`,
      footer:
        "Object.defineProperty(window.__TAURI__, 'tasks', { value: __TAURI_PLUGIN_TASKS__ }) }",
    },
  },
]);
