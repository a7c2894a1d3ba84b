/** Texts and buttons of a part of the page, by data-field and data-act. */
export class Fields {
  readonly #root: HTMLElement;

  constructor(root: HTMLElement) {
    this.#root = root;
  }

  /** Writes only changes, so that a screen reader says them once. */
  set(name: string, text: string): void {
    const field = this.#find(`[data-field="${name}"]`);
    if (field.textContent !== text) field.textContent = text;
  }

  mark(name: string, state: string): void {
    this.#find(`[data-field="${name}"]`).dataset['state'] = state;
  }

  /** Buttons are disabled until this code has loaded. */
  on(act: string, work: () => void): void {
    const button = this.button(act);
    button.addEventListener('click', work);
    button.disabled = false;
  }

  button(act: string): HTMLButtonElement {
    return this.#find(`[data-act="${act}"]`) as HTMLButtonElement;
  }

  /** A button that is on or off. */
  press(act: string, isPressed: boolean, text: string): void {
    const button = this.button(act);
    button.setAttribute('aria-pressed', String(isPressed));
    if (button.textContent !== text) button.textContent = text;
  }

  #find(selector: string): HTMLElement {
    return element(selector, this.#root);
  }
}

/** @throws Error where index.html has no such element */
export function element(selector: string, root: ParentNode = document): HTMLElement {
  const found = root.querySelector<HTMLElement>(selector);
  if (found === null) throw new Error(`index.html has no ${selector}`);
  return found;
}
