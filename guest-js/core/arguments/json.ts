import { TaskInputError } from "../errors/task-error.js";
import { misfit, type Rule, readSafely, shown, textOf } from "./check.js";
import { isWellFormed } from "./well-formed.js";

/**
 * How many arrays and objects may be nested. `serde_json` reads 127 levels, a few of which belong to the call itself and to the
 * message that Tauri makes of it.
 */
export const DEEPEST = 120;

/** The name of the method by which an object says how Tauri should send it: `SERIALIZE_TO_IPC_FN` of `@tauri-apps/api/core`. */
const TO_IPC = "__TAURI_TO_IPC_KEY__";

/** What the class of an object may be called: that of an instance of one of the app's classes is `Object`, too. */
const PLAIN: readonly string[] = ["Object", "Module"];

/** Why a value has no place in JSON, in the words that follow its name. */
class Unfit {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/**
 * The input of a task, or a list of inputs. Returns a copy that is plain JSON: what the caller changes later is not sent. It
 * holds what Tauri would send, `undefined` as `null`. Throws a {@link TaskInputError} for what would be sent as
 * something else, or not at all.
 */
export const json: Rule<unknown> = (value, at) => copyJson(value, at) ?? null;

/** A list of inputs, as {@link json} reads them. */
export const jsonList: Rule<unknown[]> = (value, at) => {
  const copied = readSafely(at, () => Array.isArray(value)) && copyJson(value, at);
  if (Array.isArray(copied)) return copied;
  throw misfit(at, value, "an array with one input for each task");
};

function copyJson(input: unknown, at: string): unknown {
  /** The keys that lead to the current value, and the objects that they are in. Only the first `depth` are current. */
  const keys: (string | number)[] = [];
  const within: object[] = [];
  let depth = 0;

  /** Returns what JSON has for a value; `undefined` if JSON leaves it out. */
  function copy(given: unknown): unknown {
    if (given === null) return null;
    switch (typeof given) {
      case "boolean":
      case "undefined":
        return given;
      case "string":
        if (!isWellFormed(given)) throw new Unfit(LONE_SURROGATE);
        return given;
      case "number":
        if (Number.isFinite(given)) return given;
        throw new Unfit(`is ${given}, which JSON turns into null: pass a finite number`);
      default: {
        const replaced = replace(given);
        return typeof replaced === "object" && replaced !== null
          ? copyObject(replaced)
          : copyPrimitive(replaced);
      }
    }
  }

  function copyPrimitive(value: unknown): unknown {
    switch (typeof value) {
      case "bigint":
        throw new Unfit("is a BigInt, which JSON can't hold: pass a number or a string");
      case "function":
      case "symbol":
        throw new Unfit(`is ${shown(value)}, which JSON leaves out: pass data`);
      default:
        return copy(value);
    }
  }

  function copyObject(value: object): unknown {
    for (let above = 0; above < depth; above += 1) {
      if (within[above] === value) throw new Unfit("contains itself: pass data without a cycle");
    }
    if (depth === DEEPEST) throw new Unfit(`is nested more than ${DEEPEST} levels deep`);
    within[depth] = value;
    keys.length = depth;
    depth += 1;
    const copied = copyContents(value);
    depth -= 1;
    return copied;
  }

  function copyContents(value: object): unknown {
    if (Array.isArray(value)) return copyArray(value);
    if (value instanceof Map) return copyMap(value);
    if (value instanceof Uint8Array) return Array.from(value);
    if (value instanceof ArrayBuffer) return Array.from(new Uint8Array(value));
    if (value instanceof Number) return copy(Number(value));
    if (value instanceof String) return copy(String(value));
    if (value instanceof Boolean) return value.valueOf();
    // Whatever fields such an object has, they are not what it stands for.
    const type = Object.prototype.toString.call(value).slice(8, -1);
    if (type === "AbortSignal") {
      throw new Unfit(
        "is an AbortSignal: pass it in the options, after the input, which is null for a kind without input",
      );
    }
    if (!PLAIN.includes(type) || value instanceof Error) {
      throw new Unfit(
        `is of type ${type}, which JSON can't hold: pass its data as an array or a plain object`,
      );
    }
    return copyFields(value);
  }

  function copyArray(values: readonly unknown[]): unknown[] {
    const copied: unknown[] = [];
    for (let index = 0; index < values.length; index += 1) {
      keys[depth - 1] = index;
      copied.push(copy(values[index]) ?? null);
    }
    return copied;
  }

  function copyFields(value: object): Record<string, unknown> {
    const copied: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      keys[depth - 1] = key;
      put(copied, key, Reflect.get(value, key));
    }
    return copied;
  }

  function put(copied: Record<string, unknown>, key: string, value: unknown): void {
    if (!isWellFormed(key)) throw unfitKey(`has a key that ${LONE_SURROGATE}`);
    const field = copy(value);
    if (field === undefined) return;
    if (key !== "__proto__") copied[key] = field;
    else
      Object.defineProperty(copied, key, {
        value: field,
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }

  /** Returns the error for a key of the current object, with which its path ends. */
  function unfitKey(why: string): Unfit {
    depth -= 1;
    return new Unfit(why);
  }

  function copyMap(value: Map<unknown, unknown>): Record<string, unknown> {
    const copied: Record<string, unknown> = {};
    const names = new Set<string>();
    for (const [key, field] of value) {
      if (typeof key !== "string" && typeof key !== "number") {
        throw unfitKey(`is a Map with a key that is ${shown(key)}: pass strings as its keys`);
      }
      const name = String(key);
      if (names.has(name)) {
        throw unfitKey(`is a Map with two keys that are sent as ${shown(name)}: pass one of them`);
      }
      names.add(name);
      keys[depth - 1] = name;
      put(copied, name, field);
    }
    return copied;
  }

  /** Returns what an object wants to be sent as. */
  function replace(given: NonNullable<unknown>): unknown {
    const { toJSON } = given as { readonly toJSON?: unknown };
    let value: unknown = given;
    if (typeof toJSON === "function") {
      if (given instanceof Date && Number.isNaN(given.getTime())) {
        throw new Unfit("is an invalid Date, which JSON turns into null: pass a valid one");
      }
      value = toJSON.call(given, depth === 0 ? "" : String(keys[depth - 1])) as unknown;
    }
    if (typeof value !== "object" || value === null || !(TO_IPC in value)) return value;
    return (value as { [TO_IPC](): unknown })[TO_IPC]();
  }

  try {
    return copy(input);
  } catch (error) {
    const path = toPath(keys.slice(0, depth));
    const where = path === "" || path.startsWith("[") ? `${at}${path}` : `${at}.${path}`;
    if (error instanceof Unfit) throw new TaskInputError(`${where} ${error.why}.`, path, { path });
    const message = `${where} can't be read: ${textOf(error)}`;
    throw new TaskInputError(message, path, { path }, { cause: error });
  }
}

const LONE_SURROGATE =
  "has a lone surrogate, half of a character, which can't be sent: pass text that was cut at a whole character";

/** Writes a path as the plugin does: `files[2].name`. */
function toPath(keys: readonly (string | number)[]): string {
  return keys
    .map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? key : `.${key}`))
    .join("");
}
