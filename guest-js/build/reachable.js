import { dirname, join } from "node:path/posix";

/** An import of a built file: it has no other form of them. */
const IMPORT = /(?:[\s}]from|\bimport|\brequire\()\s*"([^"]+)"/g;
const COMMENT = /\/\*[\s\S]*?\*\//g;

/**
 * Returns the files of the package that a page loads with one of them, including that one, and the packages that these import.
 *
 * @param {string} file
 * @param {(file: string) => string} read
 */
export function reachable(file, read) {
  const files = new Set([file]);
  /** @type {Set<string>} */
  const packages = new Set();
  // A set's iterator comes to what is added meanwhile, too.
  for (const one of files) {
    for (const [, imported = ""] of read(one).replace(COMMENT, "").matchAll(IMPORT)) {
      if (imported.startsWith(".")) files.add(join(dirname(one), imported));
      else packages.add(imported);
    }
  }
  return { files, packages };
}
