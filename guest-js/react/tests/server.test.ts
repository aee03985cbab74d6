// @vitest-environment node
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { describeOnServer } from "../../adapter-tests/server-cases.js";
import { createTaskHooks } from "../index.js";
import { useShown } from "./use-shown.js";

describeOnServer("hooks of React on a server", async (tasks, shown) => {
  const hooks = createTaskHooks(tasks);
  let state: unknown;
  const Probe = () => {
    state = useShown(hooks, shown);
    return null;
  };
  renderToString(createElement(Probe));
  return state;
});
