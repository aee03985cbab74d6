/** Plugins by which the cases of the adapters run on the oldest frameworks that the package takes: those in package.json beside this. */
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Plugin } from "vite";

const manifest = join(import.meta.dirname, "package.json");
const FRAMEWORKS = /^(react|react-dom|vue|svelte|solid-js|@testing-library\/(react|vue))(\/|$)/;

/** Finds the frameworks, and what tests them, where the oldest ones are installed. */
export function oldestFrameworks(): Plugin {
  return {
    name: "oldest-frameworks",
    enforce: "pre",
    resolveId(source) {
      return FRAMEWORKS.test(source)
        ? this.resolve(source, manifest, { skipSelf: true })
        : undefined;
    },
  };
}

/** Compiles components and modules with the oldest Svelte, which Svelte's own plugin no longer takes. */
export function oldestSvelte(): Plugin {
  const { compile, compileModule }: typeof import("svelte/compiler") =
    createRequire(manifest)("svelte/compiler");
  return {
    name: "oldest-svelte",
    transform(code, id) {
      const [filename = ""] = id.split("?");
      const options = { filename, generate: "client" } as const;
      if (filename.endsWith(".svelte")) return compile(code, options).js;
      // Vite has taken the types away by now.
      if (/\.svelte\.[jt]s$/.test(filename)) return compileModule(code, options).js;
      return undefined;
    },
  };
}
