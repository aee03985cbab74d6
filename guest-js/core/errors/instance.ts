/**
 * The key under which the prototype of each class of errors has the name of its class, in every copy of this package. A class whose
 * fields change so that code for the older one breaks takes another name.
 */
const CLASS = Symbol.for("tauri-plugin-tasks-api/error");

/** A class, as far as `instanceof` goes. */
interface Class {
  readonly prototype: object;
}

/** Makes `instanceof` accept, for `type`, the instances of the class with the same name in every copy of this package. */
export function shareInstances(type: Class, name: string): void {
  Object.defineProperty(type.prototype, CLASS, { value: name });
  Object.defineProperty(type, Symbol.hasInstance, { value: isInstance });
}

/** Only prototypes count, as in any `instanceof`: the properties of `value` itself make no instance of it. */
function isInstance(this: Class, value: unknown): boolean {
  const name = nameOf(this.prototype);
  // A subclass that the app has made. No other copy of this package has it.
  if (name === undefined) return Function.prototype[Symbol.hasInstance].call(this, value);
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  try {
    let prototype: object | null = Object.getPrototypeOf(value);
    while (prototype && nameOf(prototype) !== name) prototype = Object.getPrototypeOf(prototype);
    return prototype !== null;
  } catch {
    // A revoked proxy has no prototype.
    return false;
  }
}

function nameOf(prototype: object): unknown {
  return Object.getOwnPropertyDescriptor(prototype, CLASS)?.value;
}
