import { defineConfig } from "vite";

export default defineConfig(({ mode }) => ({
  // Keeps Tauri's own output on the screen.
  clearScreen: false,
  // The port must be that of `devUrl` in src-tauri/tauri.conf.json.
  server: { port: 1420, strictPort: true, watch: { ignored: ["**/src-tauri/**"] } },
  build: {
    // There is one chunk, and the polyfill would be an inline script, which the content security policy refuses.
    modulePreload: false,
    // Only the app that `cargo xtask bench window` measures contains its page.
    ...(mode === "bench" && { outDir: "dist-bench", rolldownOptions: { input: "bench.html" } }),
  },
}));
