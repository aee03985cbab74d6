import { useTask, useTaskItems } from "./hooks";

export function Checksum({ id }: { id: string }) {
  const { task, snapshot } = useTask("checksum", id);
  const { items } = useTaskItems(task, { limit: 100 });
  if (!snapshot) return null;
  const { status, label, progress, endedAt } = snapshot;
  return (
    <>
      <article>
        <progress
          aria-label={label ?? id}
          value={status === "completed" ? 1 : (progress.fraction ?? 0)}
        />
        <output>{status}</output>
        <button type="button" onClick={task?.cancel} disabled={endedAt !== null}>
          Cancel
        </button>
      </article>
      <pre>{items.map(({ mebibytes, sum }) => `${mebibytes} MiB: ${sum.toString(16)}\n`)}</pre>
    </>
  );
}
