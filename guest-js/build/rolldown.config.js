import { defineConfig } from "rolldown";

/** The builds, also run by `tests/build.test.ts`. */
const input = "guest-js/core/index.ts";
const external = [/^@tauri-apps\/api/];
const transform = { target: "es2021" };
const platform = "browser";

/** What the licence of a library asks of those who ship it: the whole text is in LICENSE-uuid. */
const notice = "/*! Includes uuid, MIT, (c) 2010-2020 Robert Kieffer and other contributors. */";

/** The globals that Tauri defines with `withGlobalTauri`; an own copy of its `Channel` would not be the page's. */
const globals = { "@tauri-apps/api/core": "window.__TAURI__.core" };

export default defineConfig([
  {
    input,
    external,
    transform,
    platform,
    output: [
      { file: "dist-js/index.js", format: "esm", banner: notice },
      { file: "dist-js/index.cjs", format: "cjs", banner: notice },
    ],
  },
  {
    input,
    external,
    transform,
    platform,
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
