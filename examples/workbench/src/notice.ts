import { setText } from "./dom";

export type Tone = "info" | "good" | "bad";
export type Notify = (text: string, tone?: Tone) => void;

/** Returns a function that shows the latest event in the status bar, as a sentence. */
export function createNotify(line: HTMLElement): Notify {
  return (text, tone = "info") => {
    line.dataset.tone = tone;
    line.title = text;
    setText(line, text);
    // Restarts the pulse of the dot, so that the user notices when the same sentence comes twice.
    for (const animation of line.getAnimations({ subtree: true })) {
      animation.cancel();
      animation.play();
    }
  };
}
