import { svelte } from "@sveltejs/vite-plugin-svelte";
import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";
import solid from "vite-plugin-solid";

export default defineConfig({
  // React needs no plugin for a build.
  plugins: [vue(), svelte(), solid({ include: "src/solid/**" })],
  // Vite must not clear the screen of Rust's errors.
  clearScreen: false,
  // Tauri expects the port that `devUrl` in src-tauri/tauri.conf.json names.
  server: { port: 1420, strictPort: true, watch: { ignored: ["**/src-tauri/**"] } },
  build: {
    // The polyfill would be an inline script, which the content security policy refuses.
    modulePreload: false,
    rolldownOptions: {
      input: ["index.html", "react.html", "vue.html", "svelte.html", "solid.html"],
    },
  },
});
