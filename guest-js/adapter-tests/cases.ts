/** What each adapter must do, whatever the framework. */
import { afterEach, beforeEach, describe } from "vitest";
import { describeItems } from "./cases/items.js";
import { describeList } from "./cases/list.js";
import { describeMounts } from "./cases/mounts.js";
import { describeProgress } from "./cases/progress.js";
import { describeBatch, describeStart } from "./cases/start.js";
import { describeTask } from "./cases/task.js";
import type { LoadHarness } from "./harness.js";
import { loadPage, unloadPage } from "./page.js";

/** Runs all cases against an adapter. */
export function describeAdapter(name: string, load: LoadHarness): void {
  describe(name, () => {
    beforeEach(() => loadPage(load));
    afterEach(unloadPage);
    describe("a task", describeTask);
    describe("a list", describeList);
    describe("a start", describeStart);
    describe("a batch", describeBatch);
    describe("progress", describeProgress);
    describe("items", describeItems);
    describe("mounting and unmounting", describeMounts);
  });
}
