import { Show } from "solid-js";
import { createTask, createTaskItems } from "./primitives";

export function Checksum(props: { id: string }) {
  const checksum = createTask("checksum", () => props.id);
  const sums = createTaskItems(() => checksum().task, { limit: 100 });
  return (
    <Show when={checksum().snapshot}>
      {(snapshot) => (
        <>
          <article>
            <progress
              aria-label={snapshot().label ?? props.id}
              value={snapshot().status === "completed" ? 1 : (snapshot().progress.fraction ?? 0)}
            />
            <output>{snapshot().status}</output>
            <button
              type="button"
              onClick={() => checksum().task?.cancel()}
              disabled={snapshot().endedAt !== null}
            >
              Cancel
            </button>
          </article>
          <pre>
            {sums()
              .items.map(({ mebibytes, sum }) => `${mebibytes} MiB: ${sum.toString(16)}\n`)
              .join("")}
          </pre>
        </>
      )}
    </Show>
  );
}
