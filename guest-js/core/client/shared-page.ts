import { PROTOCOL } from "../session/link.js";
import { createPage, type Page } from "./page.js";

/**
 * The number of the interface {@link Page}, through which one copy of this package calls the code of another. Raise it when a member
 * of the interface, or of what it returns, is renamed, is removed, gets another type or does something else, and when one is added
 * that the client relies on: an older copy would be called for it. The test `page-interface` notices a change of the types.
 */
export const PAGE_INTERFACE = 1;

/**
 * Where the page object stands, in `globalThis`. Copies that speak another protocol or have another interface find another object
 * there, and so another session.
 */
export const PAGE_KEY = Symbol.for(`tauri-plugin-tasks-api/page/${PROTOCOL}.${PAGE_INTERFACE}`);

/** A method of each part of a page. Whatever lacks one of them under the key is no page. */
const METHODS = { session: "open", tasks: "attach", lists: "watch", polls: "join" } as const;

let found: Page | undefined;
/** Whether `found` stands under the key. If it does no longer, the page was reloaded as far as a mock can do that. */
let isShared = false;

/**
 * The page that all clients share, whichever copy of this package made them, so that a web page has only one session. The first
 * use creates it, with the code of the copy that is used first. A copy that is loaded later, by a hot module replacement too, takes
 * over this object with all that it follows; changes to the code behind it come into force when the web page is reloaded.
 */
export const page: Page = {
  get session() {
    return currentPage().session;
  },
  get tasks() {
    return currentPage().tasks;
  },
  get lists() {
    return currentPage().lists;
  },
  get polls() {
    return currentPage().polls;
  },
};

/** Returns the page as it is now. What was made for it stays with it, even if the page is reloaded as far as a mock can do that. */
export function currentPage(): Page {
  if (found && (!isShared || valueOfKey() === found)) return found;
  isShared = true;
  found = findPage() ?? publish(createPage());
  return found;
}

function valueOfKey(): unknown {
  return Object.getOwnPropertyDescriptor(globalThis, PAGE_KEY)?.value;
}

function findPage(): Page | undefined {
  const value = valueOfKey();
  return isPage(value) ? value : undefined;
}

function isPage(value: unknown): value is Page {
  try {
    return Object.entries(METHODS).every(
      ([part, method]) => typeof Object(Object(value)[part])[method] === "function",
    );
  } catch {
    // A getter of something else has thrown.
    return false;
  }
}

/** Puts the page where other copies look for it. If that is impossible, each copy has a page of its own. */
function publish(created: Page): Page {
  isShared = Reflect.defineProperty(globalThis, PAGE_KEY, {
    value: created,
    configurable: true,
    enumerable: false,
    writable: false,
  });
  return created;
}
