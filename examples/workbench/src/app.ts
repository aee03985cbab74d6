import { invoke } from "@tauri-apps/api/core";

/** Folders to suggest: `Defaults` in `src-tauri/src/defaults.rs`. */
export interface Defaults {
  readonly downloads: string;
  readonly sample: string;
}

export const defaults = (): Promise<Defaults> => invoke<Defaults>("defaults");

/** A window beside the main one: `Extra` in `src-tauri/src/windows.rs`. */
export type ExtraWindow = "second" | "observer";

export const openWindow = (window: ExtraWindow): Promise<null> =>
  invoke<null>("open_window", { window });
