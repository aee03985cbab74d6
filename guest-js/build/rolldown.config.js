import { defineConfig } from "rolldown";

/**
 * The options that the builds share. `tests/build.test.ts` runs these builds, too.
 *
 * @type {import("rolldown").InputOptions}
 */
const source = {
  input: "guest-js/core/index.ts",
  external: [/^@tauri-apps\/api/],
  transform: {
    target: "es2021",
    // Class fields become plain assignments: defining them would take a helper function of a kilobyte.
    assumptions: { setPublicClassFields: true },
    typescript: { removeClassFieldsWithoutInitializer: true },
  },
  platform: "browser",
  // The target in tsconfig.json is for the type checker, and would override the one above.
  tsconfig: false,
};

/** The notice that the licence of uuid requires. Its full text is in LICENSE-uuid. */
const notice = "/*! Includes uuid, MIT, (c) 2010-2020 Robert Kieffer and other contributors. */";

/** The global that Tauri defines with `withGlobalTauri`, used instead of bundling a second copy of Tauri's `Channel`. */
const globals = { "@tauri-apps/api/core": "window.__TAURI__.core" };

export default defineConfig([
  {
    ...source,
    output: [
      { file: "dist-js/index.js", format: "esm", banner: notice },
      { file: "dist-js/index.cjs", format: "cjs", banner: notice },
    ],
  },
  {
    ...source,
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
