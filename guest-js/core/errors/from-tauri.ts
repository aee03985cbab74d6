import { TaskError, TaskPermissionError } from "./task-error.js";

const CAPABILITIES = "src-tauri/capabilities/*.json";
const SAME_VERSION =
  'Update the crate "tauri-plugin-tasks" and the npm package "tauri-plugin-tasks-api" together.';

/**
 * Converts a plain string, which is what Tauri itself rejects with. When Tauri's ACL refuses a command, debug builds use one of
 * five messages (`RuntimeAuthority::resolve_access_message`), and release builds say `Command plugin:tasks|start not allowed by ACL`.
 */
export function fromTauri(text: string, task?: string): TaskError {
  if (/\bplugin (tasks )?not found/i.test(text)) {
    return ipc(
      text,
      'Add the crate "tauri-plugin-tasks" to src-tauri/Cargo.toml and register the plugin with ' +
        "tauri::Builder::plugin(…) before the window opens.",
    );
  }
  if (/\bCommand (\S+ )?not found/.test(text) || text.startsWith("invalid args ")) {
    return ipc(text, SAME_VERSION);
  }
  if (text.includes("explicitly denied")) {
    return refused(
      text,
      `Remove the "deny" permission from the capability it names (${CAPABILITIES}).`,
    );
  }
  if (text.includes("not allowed on window")) {
    return refused(
      text,
      `Add this window to "windows" (or this webview to "webviews") in one of ${CAPABILITIES}.`,
    );
  }
  if (text.includes("not allowed on origin")) {
    return refused(
      text,
      `Allow this origin with "remote": { "urls": […] } in one of ${CAPABILITIES}.`,
    );
  }
  if (text.includes("deserializing scope")) {
    return refused(
      text,
      `Correct the scope entry of a "tasks:…" permission in one of ${CAPABILITIES}.`,
    );
  }
  if (text.includes("not allowed")) {
    return refused(
      text,
      `Add ${permissionsFor(text, task)} to "permissions" in the one of ${CAPABILITIES} that lists this window.`,
    );
  }
  return ipc(text, "");
}

/** Returns the permissions that a command needs, for a hint. `tasks:allow-start` covers `start`, `rerun`, `batch` and `leave`. */
function permissionsFor(text: string, task = "…"): string {
  if (/tasks[.|](start|rerun|batch)\b/.test(text)) {
    return `"tasks:default" and { "identifier": "tasks:allow-start", "allow": [{ "task": "${task}" }] }`;
  }
  if (/tasks[.|]set_limit\b/.test(text)) {
    return `"tasks:default" and { "identifier": "tasks:allow-set-limit", "allow": [{ "task": "…", "owner": "any" }] }`;
  }
  if (/tasks[.|]counts\b/.test(text)) {
    return '"tasks:default" and { "identifier": "tasks:allow-counts", "allow": [{ "task": "*", "owner": "any" }] }';
  }
  if (/tasks[.|]trigger\b/.test(text)) {
    return '{ "identifier": "tasks:allow-trigger", "allow": [{ "task": "…" }] }, with the name of the task that the schedule runs,';
  }
  if (/tasks[.|](pause|resume)_schedule\b/.test(text)) {
    return '"tasks:control-all"';
  }
  return /tasks[.|]schedules\b/.test(text) ? '"tasks:observe-all"' : '"tasks:default"';
}

function refused(text: string, hint: string): TaskPermissionError {
  return new TaskPermissionError("permission", `${text}\n\n${hint}`, null, { cause: text });
}

function ipc(text: string, hint: string): TaskError {
  return new TaskError("ipc", hint ? `${text}\n\n${hint}` : text, null, { cause: text });
}

export function insideTauri(): boolean {
  return "__TAURI_INTERNALS__" in globalThis;
}
