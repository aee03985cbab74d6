import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type { AnySnapshot } from "./client";

/** Folders to suggest: `Defaults` in `src-tauri/src/defaults.rs`. */
export interface Defaults {
  readonly downloads: string;
  readonly sample: string;
}

export const defaults = (): Promise<Defaults> => invoke<Defaults>("defaults");

/** A window besides the main one: `Extra` in `src-tauri/src/windows.rs`. */
export type ExtraWindow = "second" | "observer";

/** The tasks that a quit would cut short, or waits for: `QuitQuestion` in `src-tauri/src/quit.rs`. */
export interface QuitQuestion {
  readonly decided: boolean;
  readonly tasks: readonly AnySnapshot[];
}

export type QuitChoice = "wait" | "cancel" | "stay";

export const quit = (): Promise<null> => invoke<null>("quit");

export const quitWaitsFor = (): Promise<QuitQuestion | null> =>
  invoke<QuitQuestion | null>("quit_waits_for");

export const answerQuit = (choice: QuitChoice): Promise<null> =>
  invoke<null>("answer_quit", { choice });

export const onQuitAsked = (handler: () => void): Promise<() => void> =>
  listen("quit-asked", handler);

export const openWindow = (window: ExtraWindow): Promise<null> =>
  invoke<null>("open_window", { window });
