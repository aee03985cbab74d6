// With `#start`, the page starts tasks of its own, follows them, reads what one of them emits, and records whether it can be seen.
const state = document.querySelector("#state");

async function read(task) {
  for await (const number of task.items()) {
    state.textContent = `Three tasks are running. Number ${number} has come.`;
  }
}

async function start(tasks) {
  const [streams] = await Promise.all(["streams", "goes-on", "goes-along"].map((kind) => tasks.start(kind)));
  document.addEventListener("visibilitychange", async () => {
    // The client's call was sent before this one.
    await tasks.list();
    await tasks.start("note", `page-${document.visibilityState}`);
  });
  await tasks.start("note", "page-started");
  await read(streams);
}

if (location.hash === "#start") {
  start(window.__TAURI__.tasks.createTasks()).catch((error) => {
    state.textContent = error.message;
  });
}
