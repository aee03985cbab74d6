// No bundler and no imports: with `withGlobalTauri`, the plugin's client is a property of `__TAURI__`.
const tasks = window.__TAURI__.tasks.createTasks();

const element = (id) => document.getElementById(id);
const number = (value) => value.toLocaleString("en");

element("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const abort = new AbortController();
  element("cancel").onclick = () => abort.abort();
  element("cancel").disabled = false;
  element("result").textContent = "";
  try {
    const task = await tasks.start("count-words", { text: element("text").value }, { signal: abort.signal });
    task.onProgress((progress) => {
      element("bar").value = progress.fraction ?? 0;
    });
    element("result").textContent = described(await task.result);
    element("bar").value = 1; // Of an empty text there is no fraction.
  } catch (error) {
    element("result").textContent = abort.signal.aborted ? "Cancelled." : error.message;
  } finally {
    element("cancel").disabled = true;
  }
});

function described({ words, different, frequent }) {
  const list = frequent.map(({ word, times }) => `${word} (${number(times)})`).join(", ");
  return `${number(words)} words, ${number(different)} different. Most frequent: ${list || "none"}.`;
}
