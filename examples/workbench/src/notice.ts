import { setText } from "./dom";

export type Tone = "info" | "good" | "bad";
export type Notify = (text: string, tone?: Tone) => void;

/** The sentence in the status bar: the last thing that happened. */
export function createNotify(line: HTMLElement): Notify {
  return (text, tone = "info") => {
    line.dataset.tone = tone;
    line.title = text;
    setText(line, text);
    // Restarts the pulse of the dot, so that the same sentence twice is seen twice.
    for (const animation of line.getAnimations({ subtree: true })) {
      animation.cancel();
      animation.play();
    }
  };
}
