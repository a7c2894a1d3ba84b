/** @throws Error where index.html has no such element */
export function element(selector: string, root: ParentNode = document): HTMLElement {
  const found = root.querySelector<HTMLElement>(selector);
  if (found === null) throw new Error(`index.html has no ${selector}`);
  return found;
}

export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className = '',
  ...content: (string | Node)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

/** Writes only changes, so that a screen reader says them once and a selection stays. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** One tab stop for all buttons of a list; the arrow keys, Home and End move between them. */
export function moveByArrows(list: HTMLElement): void {
  list.addEventListener('keydown', (event) => {
    const buttons = [...list.querySelectorAll('button')].filter((button) => button.checkVisibility());
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    const next = to === undefined ? undefined : buttons[to];
    if (at < 0 || next === undefined) return;
    event.preventDefault();
    next.focus();
  });
  list.addEventListener('focusin', ({ target }) => {
    if (target instanceof HTMLButtonElement) setTabStop(list, target);
  });
}

export function setTabStop(list: HTMLElement, chosen: HTMLButtonElement | null): void {
  const buttons = [...list.querySelectorAll('button')];
  const stop = chosen ?? buttons.find(({ tabIndex }) => tabIndex === 0) ?? buttons[0];
  for (const button of buttons) button.tabIndex = button === stop ? 0 : -1;
}
