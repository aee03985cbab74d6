/** The objects in `globalThis` that copies of the client share, one for each interface: see `core/client/shared-page.ts`. */

/** What the key of each begins with. */
const KEY = "tauri-plugin-tasks-api/page/";

/** Takes the page objects away, so that the next use of a client makes a new one, as in a page that was just loaded. */
export function takePageObjects(): [symbol, PropertyDescriptor][] {
  const found = Object.getOwnPropertySymbols(globalThis)
    .filter((key) => key.description?.startsWith(KEY))
    .map((key): [symbol, PropertyDescriptor] => [key, descriptorOf(key)]);
  for (const [key] of found) Reflect.deleteProperty(globalThis, key);
  return found;
}

/** Puts page objects back in the place of those that are there. */
export function putPageObjects(found: readonly [symbol, PropertyDescriptor][]): void {
  takePageObjects();
  for (const [key, descriptor] of found) Object.defineProperty(globalThis, key, descriptor);
}

function descriptorOf(key: symbol): PropertyDescriptor {
  return Object.getOwnPropertyDescriptor(globalThis, key) ?? {};
}
