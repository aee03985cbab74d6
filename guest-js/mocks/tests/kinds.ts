/** The kinds of task in these tests. */
export type Tasks = {
  download: {
    input: { url: string };
    output: { bytes: number };
    error: { code: number };
    detail: { file: string };
    item: string;
  };
  tick: { input: null; output: number; error: string; detail: null; item: never };
  tidy: { input: null; output: null; error: string; detail: null; item: never };
  cat: { input: null; output: null; error: string; detail: null; item: Uint8Array };
};
