/** Returns the element that a selector matches in `index.html`, or throws a clear error if there is none. */
export function find<E extends Element>(
  root: ParentNode,
  selector: string,
  type: abstract new () => E,
): E {
  const element = root.querySelector(selector);
  if (!(element instanceof type)) {
    throw new Error(`index.html has no ${type.name} at ${selector}`);
  }
  return element;
}

/** Sets a text only if it differs: lists are updated many times a second, and most of their texts stay the same. */
export function setText(node: HTMLElement, text: string): void {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

/** Sets an attribute only if it differs; `null` removes it. */
export function setAttribute(node: Element, name: string, value: string | null): void {
  if (node.getAttribute(name) === value) {
    return;
  }
  if (value === null) {
    node.removeAttribute(name);
  } else {
    node.setAttribute(name, value);
  }
}
