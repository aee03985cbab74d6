import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import { defineConfig } from "vitest/config";

/** Files whose framework has other code for a browser than for a server. */
const SERVER = "{svelte,solid}/tests/server.test.ts";

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
        test: {
          name: "core",
          include: ["**/tests/**/*.test.ts"],
          exclude: ["{svelte,solid}/**"],
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
    ],
  },
});
