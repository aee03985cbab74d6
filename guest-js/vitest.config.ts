import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import { defineConfig } from "vitest/config";
import { oldestFrameworks, oldestSvelte } from "./adapter-tests/oldest/plugins.js";

/** Files whose framework has other code for a browser than for a server. */
const SERVER = "{svelte,solid}/tests/server.test.ts";
/** A file about the projects below that have the oldest frameworks. */
const OLDEST = "adapter-tests/tests/oldest.test.ts";

export default defineConfig({
  root: import.meta.dirname,
  test: {
    environment: "happy-dom",
    restoreMocks: true,
    // Time in the tests is fake. This only ends a test that hangs, on however slow a machine.
    testTimeout: 120_000,
    // The default leaves a core idle: of two, it uses one.
    maxWorkers: "100%",
    projects: [
      {
        extends: true,
        // The page in the README's test imports the package by its name.
        resolve: {
          alias: [
            {
              find: /^tauri-plugin-tasks-api$/,
              replacement: `${import.meta.dirname}/core/index.ts`,
            },
          ],
        },
        test: {
          name: "core",
          include: ["**/tests/**/*.test.ts"],
          exclude: ["{svelte,solid}/**", OLDEST],
        },
      },
      {
        extends: true,
        plugins: [svelte(), svelteTesting({ autoCleanup: false })],
        test: { name: "svelte", include: ["svelte/tests/**/*.test.ts"], exclude: [SERVER] },
      },
      {
        extends: true,
        resolve: { conditions: ["browser", "development"] },
        test: {
          name: "solid",
          include: ["solid/tests/**/*.test.ts"],
          exclude: [SERVER],
          server: { deps: { inline: [/solid-js/, /@solidjs/] } },
        },
      },
      {
        extends: true,
        plugins: [svelte()],
        test: { name: "server", include: [SERVER], environment: "node" },
      },
      {
        extends: true,
        plugins: [oldestFrameworks()],
        test: {
          name: "oldest",
          include: ["{react,vue}/tests/*.test.ts", OLDEST],
          server: { deps: { inline: [/@testing-library/] } },
        },
      },
      {
        extends: true,
        plugins: [oldestFrameworks(), oldestSvelte(), svelteTesting({ autoCleanup: false })],
        test: { name: "oldest svelte", include: ["svelte/tests/**/*.test.ts"], exclude: [SERVER] },
      },
      {
        extends: true,
        plugins: [oldestFrameworks()],
        resolve: { conditions: ["browser", "development"] },
        test: {
          name: "oldest solid",
          include: ["solid/tests/*.test.ts"],
          exclude: [SERVER],
          server: { deps: { inline: [/solid-js/, /@solidjs/] } },
        },
      },
    ],
  },
});
