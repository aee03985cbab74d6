import { Match, Switch } from "solid-js";
import { createStartTask } from "./primitives";

export function Sum(props: { path: string }) {
  const [sum, { start, cancel }] = createStartTask("checksum");
  return (
    <Switch fallback={<button onClick={() => start({ path: props.path })}>Sum up {props.path}</button>}>
      <Match when={sum().state === "completed"}>
        <p>{sum().output}</p>
      </Match>
      <Match when={sum().state === "running"}>
        <progress value={sum().snapshot?.progress.fraction ?? 0} onClick={cancel} />
      </Match>
    </Switch>
  );
}
