import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type OutputOptions, type RolldownOptions, rolldown } from "rolldown";
import config from "../rolldown.config.js";

export const root = resolve(import.meta.dirname, "../../..");

/** The package as `npm run build` makes it, in a folder of its own. */
export interface Built {
  readonly directory: string;
  /** The text of each file, by its path in the package. */
  readonly outputs: ReadonlyMap<string, string>;
  /** The sources in each file of `dist-js`. */
  readonly sources: ReadonlyMap<string, readonly string[]>;
  remove(): void;
}

export async function build(): Promise<Built> {
  // Inside the package, so that `@tauri-apps/api` is found from there.
  mkdirSync(join(root, "node_modules/.cache"), { recursive: true });
  const directory = mkdtempSync(join(root, "node_modules/.cache/build-test-"));
  const outputs = new Map<string, string>();
  const sources = new Map<string, readonly string[]>();
  for (const { output, ...input } of config as RolldownOptions[]) {
    const bundle = await rolldown({ ...input, cwd: root });
    for (const options of [output].flat() as OutputOptions[]) {
      const { output: chunks } = await bundle.generate(options);
      for (const chunk of chunks) {
        if (chunk.type !== "chunk") throw new Error(`the build writes ${chunk.fileName}, too`);
        const file = options.file ?? `${options.dir}/${chunk.fileName}`;
        outputs.set(file, chunk.code);
        sources.set(file, chunk.moduleIds);
        mkdirSync(dirname(join(directory, file)), { recursive: true });
        writeFileSync(join(directory, file), chunk.code);
      }
    }
    await bundle.close();
  }
  // As in package.json: without it, Node would not know what a `.js` file is.
  writeFileSync(join(directory, "package.json"), JSON.stringify({ type: "module" }));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  return { directory, outputs, sources, remove };
}
