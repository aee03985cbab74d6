import { defineConfig } from "vite";

export default defineConfig(({ mode }) => ({
  // Tauri's own output stays on the screen.
  clearScreen: false,
  // The port is `devUrl` in src-tauri/tauri.conf.json: another one would not be found.
  server: { port: 1420, strictPort: true, watch: { ignored: ["**/src-tauri/**"] } },
  build: {
    // There is one chunk, and the polyfill would be an inline script, which the content security policy refuses.
    modulePreload: false,
    // The page of `cargo xtask bench window` is in no app but the one that it measures.
    ...(mode === "bench" && { outDir: "dist-bench", rolldownOptions: { input: "bench.html" } }),
  },
}));
