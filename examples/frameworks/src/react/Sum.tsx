import { useStartTask } from "./hooks";

export function Sum({ path }: { path: string }) {
  const { start, cancel, state, snapshot, output } = useStartTask("checksum");
  if (state === "completed") return <p>{output}</p>;
  if (state === "running")
    return <progress value={snapshot?.progress.fraction ?? 0} onClick={cancel} />;
  return <button onClick={() => start({ path })}>Sum up {path}</button>;
}
