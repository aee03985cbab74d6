/**
 * Adds fields to an object that are not copied, logged or compared with it. They have getters, since a proxy may return something
 * else than a frozen object holds only where there is one: the stores of some frameworks wrap every object that is read from them.
 */
export function hide(object: object, fields: object): void {
  for (const [name, value] of Object.entries(fields))
    Object.defineProperty(object, name, { get: () => value, configurable: true });
}

/**
 * Binds the methods and getters of an object's class to the object: methods can be passed as callbacks, and all of them work on the
 * object itself if they are read through a proxy. The bound ones are hidden.
 */
export function bindMembers(object: object): void {
  let prototype: unknown = Object.getPrototypeOf(object);
  while (prototype instanceof Object && prototype !== Object.prototype) {
    for (const name of Reflect.ownKeys(prototype)) bindMember(object, prototype, name);
    prototype = Object.getPrototypeOf(prototype);
  }
}

function bindMember(object: object, prototype: object, name: string | symbol): void {
  if (name === "constructor" || Object.hasOwn(object, name)) return;
  const { value, get } = Object.getOwnPropertyDescriptor(prototype, name) ?? {};
  // Configurable and writable, as those of a class are.
  if (get) Object.defineProperty(object, name, { get: get.bind(object), configurable: true });
  if (typeof value !== "function") return;
  const bound: unknown = value.bind(object);
  Object.defineProperty(object, name, { value: bound, configurable: true, writable: true });
}
