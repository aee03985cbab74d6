import { find } from "../dom";

const row = find(document, "#row", HTMLElement);
const state = find(document, "#state", HTMLElement);
const screen = find(document, "#screen", HTMLElement);

/** Changes what the page shows. Parts that are left out stay as they are. */
export function show(shown: { row?: string; state?: string; screen?: string }): void {
  if (shown.row !== undefined) row.textContent = shown.row;
  if (shown.state !== undefined) state.textContent = shown.state;
  if (shown.screen !== undefined) screen.textContent = shown.screen;
}
