// All that the page says to Rust comes by here first, where no script of the page can interfere. The page of this app
// talks to the tasks plugin alone; Tauri encrypts what is returned and sends it on.
window.__TAURI_ISOLATION_HOOK__ = (message) => {
  if (message.cmd.startsWith("plugin:tasks|")) {
    return message;
  }
  return { ...message, cmd: "refused", payload: {} };
};
