import { defineConfig } from "vite";

export default defineConfig({
  // Vite must not clear the screen of Rust's errors.
  clearScreen: false,
  // Tauri expects the port that `devUrl` in src-tauri/tauri.conf.json names.
  server: { port: 1420, strictPort: true, watch: { ignored: ["**/src-tauri/**"] } },
});
