import { escapeMarkup } from '../../text.ts';

/** An element of markup.ts. @throws {Error} if there is none */
export function byId<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  id: string,
): HTMLElementTagNameMap[Tag] {
  const found = document.querySelector<HTMLElementTagNameMap[Tag]>(`${tag}#${id}`);
  if (found === null) throw new Error(`the page has no ${tag} with id "${id}"`);
  return found;
}

/** Makes an element from HTML. */
export function makeElement(html: string): HTMLElement {
  const box = document.createElement('div');
  box.innerHTML = html;
  return box.firstElementChild as HTMLElement;
}

/** Without a change, the browser would lay out the page again, and a screen reader read it again. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** The options of a `select`, as HTML. */
export function listOptions(options: readonly (readonly [value: string | number, text: string])[]): string {
  return options.map(([value, text]) => `<option value="${value}">${escapeMarkup(text)}</option>`).join('');
}

/** Calls back with the value of the radio button that the reader chooses. */
export function onChoice(root: HTMLElement, chosen: (value: string) => void): void {
  root.addEventListener('change', ({ target }) => {
    if (target instanceof HTMLInputElement) chosen(target.value);
  });
}

/** Checks the radio button with this value. */
export function checkChoice(root: HTMLElement, value: string): void {
  for (const input of root.querySelectorAll('input')) input.checked = input.value === value;
}

/** Where arrow keys go. */
export const ARROWS: Readonly<Record<string, readonly [right: number, down: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
