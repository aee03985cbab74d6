import { createSignal, For, Show } from "solid-js";
import { Checksum } from "./Checksum";
import { createStartTask, createTaskList } from "./primitives";

export function App() {
  const [path, setPath] = createSignal("");
  const [checksum, { start }] = createStartTask("checksum", { onConflict: "join" });
  // After a reload, too: the tasks are in Rust.
  const checksums = createTaskList(() => ({ task: "checksum" }));
  return (
    <>
      <h1>Solid</h1>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          start({ path: path() }, { key: path(), label: path() });
        }}
      >
        <input
          id="path"
          aria-label="Full path of a file"
          value={path()}
          onInput={(event) => setPath(event.currentTarget.value)}
        />
        <button id="start" type="submit">
          Sum up
        </button>
      </form>
      <Show when={checksum().state === "refused"}>
        <p role="alert">{checksum().error?.message}</p>
      </Show>
      {/* By ids, since the snapshot of a task that runs is another one with each report. */}
      <For each={checksums().tasks.map(({ id }) => id)}>{(id) => <Checksum id={id} />}</For>
    </>
  );
}
