/** Returns the path of `name` in a folder, on any system. */
export function inFolder(folder: string, name: string): string {
  const separator = folder.includes("\\") ? "\\" : "/";
  return folder.endsWith(separator) ? folder + name : folder + separator + name;
}

/** Suggests where to save the file at `url`: a path in `folder` that is not `taken`. */
export function suggestPath(folder: string, url: string, taken: ReadonlySet<string>): string {
  const name = nameIn(url);
  let path = inFolder(folder, name);
  for (let number = 2; taken.has(path); number += 1) {
    path = inFolder(folder, numbered(name, number));
  }
  return path;
}

/** Returns the file name in an address, without the characters that no file name may contain. */
function nameIn(url: string): string {
  if (!URL.canParse(url)) {
    return "download";
  }
  const last = new URL(url).pathname.split("/").findLast((part) => part !== "") ?? "";
  return decode(last).replace(/[\\/:*?"<>|]/g, "_") || "download";
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray percent sign
  }
}

/** `notes (2).txt` */
function numbered(name: string, number: number): string {
  const [, stem = name, ending = ""] = /^(.+?)((?:\.tar)?\.[^.]+)$/.exec(name) ?? [];
  return `${stem} (${number})${ending}`;
}
