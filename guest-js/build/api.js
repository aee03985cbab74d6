/**
 * Prints the public declarations of the built package without their comments, for the listing in `api/`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path/posix";
import ts from "typescript";

const from = "dist-js";
const printer = ts.createPrinter({ removeComments: true });

const files = readdirSync(from, { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".d.ts"))
  .sort();
for (const file of files) {
  const text = readFileSync(join(from, file), "utf8");
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  console.log(`// ${file}\n${printer.printFile(source)}`);
}
