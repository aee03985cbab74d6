import { createPolls, type Polls } from "../items/polls.js";
import { createListRegistry, type ListRegistry } from "../lists/lists.js";
import { createSession, type Session } from "../session/session.js";
import { createTaskRegistry, type TaskRegistry } from "../task/registry.js";

/** Everything that one page keeps: its session, what is pushed over it, and the reads of items. */
export interface Page {
  readonly session: Session;
  readonly tasks: TaskRegistry;
  readonly lists: ListRegistry;
  readonly polls: Polls;
}

export function createPage(): Page {
  const session = createSession((message, nonce) => {
    for (const event of message.events) tasks.receive(event, nonce);
    // Whether the page may be told of the task in another way is for the plugin to say.
    for (const id of message.removed ?? []) tasks.recheck(id);
    lists.receive(message.lists, message.more, nonce);
  });
  const tasks = createTaskRegistry(session);
  const lists = createListRegistry(session);
  return { session, tasks, lists, polls: createPolls() };
}
