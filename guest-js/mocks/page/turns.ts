/** So many microtasks end whatever a page does in one turn, where there is no better way to wait for it. */
const MICROTASKS = 200;

/**
 * Resolves when everything is done that waits for no timer. Fake timers fake `setTimeout` and its like, but no `MessageChannel`;
 * where there is none, enough microtasks are as good.
 */
export async function endOfTurn(): Promise<void> {
  if (typeof MessageChannel === "undefined") {
    for (let left = MICROTASKS; left > 0; left -= 1) await Promise.resolve();
    return;
  }
  const { port1, port2 } = new MessageChannel();
  await new Promise<void>((resolve) => {
    port1.onmessage = () => resolve();
    port2.postMessage(null);
  });
  // An open port keeps Node running.
  port1.close();
}
