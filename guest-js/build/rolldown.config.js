import { defineConfig } from "rolldown";

/**
 * What the builds have in common. `tests/build.test.ts` runs them, too.
 *
 * @type {import("rolldown").InputOptions}
 */
const source = {
  input: "guest-js/core/index.ts",
  external: [/^@tauri-apps\/api/],
  transform: {
    target: "es2021",
    // Class fields become plain assignments: to define them takes a helper of a kilobyte.
    assumptions: { setPublicClassFields: true },
    typescript: { removeClassFieldsWithoutInitializer: true },
  },
  platform: "browser",
  // Its target is what is type-checked, and would take precedence over that of the build.
  tsconfig: false,
};

/** The notice that the licence of uuid asks for. The whole text is in LICENSE-uuid. */
const notice = "/*! Includes uuid, MIT, (c) 2010-2020 Robert Kieffer and other contributors. */";

/** What Tauri defines with `withGlobalTauri`. A copy of its `Channel` would not be the page's own. */
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
