import { defineConfig } from "vitest/config";

export default defineConfig({
  root: import.meta.dirname,
  test: {
    environment: "happy-dom",
    include: ["**/tests/**/*.test.ts"],
    restoreMocks: true,
    // The default leaves a core idle: of two, it uses one.
    maxWorkers: "100%",
  },
});
