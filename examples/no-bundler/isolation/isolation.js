// Every message from the page to Rust passes through this hook, where no script of the page can interfere. Only calls to the
// tasks plugin are let through; Tauri encrypts the message that is returned and sends it on.
window.__TAURI_ISOLATION_HOOK__ = (message) => {
  if (message.cmd.startsWith("plugin:tasks|")) {
    return message;
  }
  return { ...message, cmd: "refused", payload: {} };
};
