// @vitest-environment node
import { createSSRApp, defineComponent } from "vue";
import { renderToString } from "vue/server-renderer";
import { describeOnServer } from "../../adapter-tests/server-cases.js";
import { createTaskHooks } from "../index.js";
import { useShown } from "./use-shown.js";

describeOnServer("composables of Vue on a server", async (tasks, shown) => {
  const hooks = createTaskHooks(tasks);
  let state: unknown;
  const Probe = defineComponent({
    setup() {
      const used = useShown(hooks, () => shown);
      return () => {
        state = used.look();
        return [];
      };
    },
  });
  await renderToString(createSSRApp(Probe));
  return state;
});
