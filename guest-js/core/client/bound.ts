/** Adds fields to an object that are not copied, logged or compared with it. */
export function hide(object: object, fields: object): void {
  for (const [name, value] of Object.entries(fields))
    Object.defineProperty(object, name, { value });
}

/** Binds the methods of an object's class to the object, so that they can be passed as callbacks. The bound ones are hidden. */
export function bindMethods(object: object): void {
  let prototype: unknown = Object.getPrototypeOf(object);
  while (prototype instanceof Object && prototype !== Object.prototype) {
    for (const name of Object.getOwnPropertyNames(prototype)) bindMethod(object, prototype, name);
    prototype = Object.getPrototypeOf(prototype);
  }
}

function bindMethod(object: object, prototype: object, name: string): void {
  const method: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
  if (name === "constructor" || typeof method !== "function" || Object.hasOwn(object, name)) return;
  const value: unknown = method.bind(object);
  // Configurable and writable, as a method is.
  Object.defineProperty(object, name, { value, configurable: true, writable: true });
}
