import type { Snapshot } from "./client";
import { setAttribute, setText } from "./dom";
import { memberLine, memberName } from "./sentences";
import { hasEnded } from "./status";

/** Up to this many members, the cells have room for names. */
const NAMED = 24;

/** The members of a batch, one cell each, in the order of the inputs. */
export class MemberGrid {
  readonly #list: HTMLElement;
  readonly #cells = new Map<string, HTMLLIElement>();

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  show(members: readonly Snapshot[]): void {
    setAttribute(this.#list, "data-compact", String(members.length > NAMED));
    for (const [index, member] of members.entries()) {
      const cell = this.#cells.get(member.id) ?? this.#add(member);
      update(cell, member);
      if (this.#list.children[index] !== cell) {
        this.#list.insertBefore(cell, this.#list.children[index] ?? null);
      }
    }
    // Remove the members that the plugin no longer keeps.
    const ids = new Set(members.map(({ id }) => id));
    for (const [id, cell] of this.#cells) {
      if (!ids.has(id)) {
        cell.remove();
        this.#cells.delete(id);
      }
    }
  }

  #add(member: Snapshot): HTMLLIElement {
    const cell = document.createElement("li");
    cell.className = "member";
    cell.dataset.testid = "member";
    cell.dataset.memberId = member.id;
    cell.append(document.createElement("span"));
    this.#cells.set(member.id, cell);
    return cell;
  }
}

function update(cell: HTMLLIElement, member: Snapshot): void {
  const line = memberLine(member);
  setAttribute(cell, "data-status", member.status);
  setAttribute(cell, "title", line);
  setAttribute(cell, "aria-label", line);
  const done = hasEnded(member) ? 1 : (member.progress.fraction ?? 0);
  cell.style.setProperty("--done", String(done));
  if (cell.firstElementChild instanceof HTMLElement) {
    setText(cell.firstElementChild, memberName(member));
  }
}
