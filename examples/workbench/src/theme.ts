import { setAttribute } from "./dom";

type Theme = "light" | "dark";

const KEY = "workbench.theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");

const chosen = (): Theme | null => {
  const stored = localStorage.getItem(KEY);
  return stored === "light" || stored === "dark" ? stored : null;
};

const current = (): Theme => chosen() ?? (system.matches ? "dark" : "light");

/** Follows the system's theme until the user chooses one, which applies to all windows at once. */
export function setUpTheme(button: HTMLButtonElement): void {
  const apply = (): void => {
    setAttribute(document.documentElement, "data-theme", chosen());
    const label = current() === "dark" ? "Use the light theme" : "Use the dark theme";
    button.setAttribute("aria-label", label);
    button.title = label;
  };
  button.addEventListener("click", () => {
    localStorage.setItem(KEY, current() === "dark" ? "light" : "dark");
    apply();
  });
  system.addEventListener("change", apply);
  window.addEventListener("storage", apply); // another window chose
  apply();
}
