import { createComponent } from "solid-js";
import { renderToString } from "solid-js/web";
import { vi } from "vitest";
import { describeOnServer } from "../../adapter-tests/server-cases.js";
import { createTaskPrimitives } from "../index.js";
import { useShown } from "./use-shown.js";

describeOnServer("primitives of Solid on a server", async (tasks, shown) => {
  const primitives = createTaskPrimitives(tasks);
  let state: unknown;
  const probe = () => {
    state = useShown(primitives, () => shown).look();
    return [];
  };
  renderToString(() => createComponent(probe, {}));
  // Solid has a timer of its own for what comes after the render.
  await vi.advanceTimersByTimeAsync(0);
  return state;
});
