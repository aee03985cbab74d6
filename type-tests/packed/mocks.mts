// The mock as an app's tests import it.
import { createTasks } from "tauri-plugin-tasks-api";
import { failure, type MockContext, mockTasks } from "tauri-plugin-tasks-api/mocks";

type Tasks = {
  tick: { input: { times: number }; detail: null; item: string; output: number; error: string };
  tock: { input: null; detail: null; item: never; output: null; error: { code: number } };
};

async function tick(ctx: MockContext<Tasks["tick"]>, { times }: { times: number }) {
  ctx.progress({ completed: 1, total: times });
  await ctx.emit("tick");
  return times;
}

export async function run(): Promise<number> {
  const mock = mockTasks<Tasks>({ tick, tock: "manual" }, { concurrency: { tick: 1 } });
  const task = await createTasks<Tasks>().start("tick", { times: 3 });
  mock.app.start("tock").fail(failure("no", { code: 3 }));
  // @ts-expect-error its output is null
  mock.last("tock").complete(3);
  await mock.settle();
  mock.restore();
  return task.result;
}
