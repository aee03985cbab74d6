// With `#start`, the page starts two tasks of its own and follows them.
const state = document.querySelector("#state");
if (location.hash === "#start") {
  const tasks = window.__TAURI__.tasks.createTasks();
  Promise.all(["goes-on", "goes-along"].map((kind) => tasks.start(kind))).then(
    () => {
      state.textContent = "Two tasks are running.";
    },
    (error) => {
      state.textContent = error.message;
    },
  );
}
