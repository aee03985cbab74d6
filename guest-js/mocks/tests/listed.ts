/** Where the mock differs from the plugin, and why it may. Whoever mends one of them takes it from the list. */
export interface Listed {
  /** Matches the name of a scenario and the place in it: see `Difference`. */
  readonly at: RegExp;
  /** The stage on which the two differ, if it is one alone. */
  readonly alone?: "mockTasks" | "the plugin of the mock alone";
  readonly why: string;
}

export const LISTED: readonly Listed[] = [
  {
    at: /^documents-end-their-sessions 2 open\.error\.message$/,
    why: "The plugin's words name the versions of its packages.",
  },
  {
    at: /^(documents-end-their-sessions|documents-run-schedules|shares-attach-(by-a-share|to-an-ended-task)|starts-are-re(fused|moved)) \d+ \w+\.error\.message$/,
    why: "Where a task or a schedule is not found, the plugin's words name capabilities.",
  },
  {
    at: /^starts-are-refused 1 start/,
    why: "The mock knows no types: a script takes whatever input it gets.",
  },
  {
    at: /^starts-are-refused 2 start/,
    why: "The client refuses such options before anything is sent.",
  },
  {
    at: /^starts-are-refused 4 start/,
    why: "The mock has no scopes: a permission is denied as a whole.",
  },
  {
    at: /^starts-of-a-batch \d+ (batch\.answer\.snapshot\.progress\.fraction|message\.events)/,
    alone: "the plugin of the mock alone",
    why: "What runs the tasks sums up the progress of a batch's members.",
  },
  {
    at: /^task-is-overdue \d+ (overdue throws|message\.events)/,
    why: "A script can't hold up its end as a blocking handler does: after 5 seconds it is given up.",
    alone: "mockTasks",
  },
];
