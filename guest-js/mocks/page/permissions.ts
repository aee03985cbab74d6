/** The commands of the plugin, by the names that the client gives them. */
export type CommandName =
  | "open"
  | "ack"
  | "start"
  | "rerun"
  | "batch"
  | "leave"
  | "cancel"
  | "cancelAll"
  | "pause"
  | "resume"
  | "setPriority"
  | "setLimit"
  | "counts"
  | "get"
  | "list"
  | "watch"
  | "unwatch"
  | "outcome"
  | "remove"
  | "read"
  | "cancelRead"
  | "schedules"
  | "trigger"
  | "pauseSchedule"
  | "resumeSchedule";

type Joined<Name extends string, By extends string> = Name extends `${infer First}${infer Rest}`
  ? First extends Lowercase<First>
    ? `${First}${Joined<Rest, By>}`
    : `${By}${Lowercase<First>}${Joined<Rest, By>}`
  : Name;

/** What a page may be refused, as in `tasks:deny-cancel-all`, and `observe-all`, without which it sees no tasks of others. */
export type PermissionName = Joined<CommandName, "-"> | "observe-all";

/** Returns what a command is called on the wire. */
export function wireName(command: CommandName): string {
  return command.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Refuses a command as Tauri does if the page may not call it. */
export function checkPermission(command: string, denied: ReadonlySet<string>): void {
  const name = command.replaceAll("_", "-");
  if (!denied.has(name)) return;
  throw `tasks.${command} not allowed. Permissions associated with this command: tasks:allow-${name}`;
}
