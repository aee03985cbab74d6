import { defineConfig } from "vitest/config";

export default defineConfig({
  root: import.meta.dirname,
  test: {
    environment: "happy-dom",
    include: ["**/tests/**/*.test.ts"],
    restoreMocks: true,
    // Time in the tests is fake. This only ends a test that hangs, on however slow a machine.
    testTimeout: 120_000,
    // The default leaves a core idle: of two, it uses one.
    maxWorkers: "100%",
  },
});
