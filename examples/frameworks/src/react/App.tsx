import { useState } from "react";
import { Checksum } from "./Checksum";
import { useStartTask, useTasks } from "./hooks";

export function App() {
  const [path, setPath] = useState("");
  const { start, state, error } = useStartTask("checksum", { onConflict: "join" });
  // After a reload, too: the tasks are in Rust.
  const { tasks } = useTasks({ task: "checksum" });
  return (
    <>
      <h1>React</h1>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          start({ path }, { key: path, label: path });
        }}
      >
        <input
          id="path"
          aria-label="Full path of a file"
          value={path}
          onChange={(event) => setPath(event.target.value)}
        />
        <button id="start" type="submit">
          Sum up
        </button>
      </form>
      {state === "refused" && <p role="alert">{error?.message}</p>}
      {tasks.map(({ id }) => (
        <Checksum key={id} id={id} />
      ))}
    </>
  );
}
