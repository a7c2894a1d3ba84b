import { element, setText } from './elements.js';

/** Texts and buttons of a part of the page, by data-field and data-act. */
export class Fields {
  readonly #root: HTMLElement;

  constructor(root: HTMLElement) {
    this.#root = root;
  }

  set(name: string, text: string): void {
    setText(this.field(name), text);
  }

  mark(name: string, state: string): void {
    this.field(name).dataset['state'] = state;
  }

  field(name: string): HTMLElement {
    return element(`[data-field="${name}"]`, this.#root);
  }

  /** Buttons are disabled until this code has loaded. */
  on(act: string, work: () => void): void {
    const button = this.#button(act);
    button.addEventListener('click', work);
    button.disabled = false;
  }

  /** A button that is on or off. */
  press(act: string, isPressed: boolean, text: string): void {
    const button = this.#button(act);
    button.setAttribute('aria-pressed', String(isPressed));
    setText(button, text);
  }

  /** Who uses the keyboard goes on at the next button that can be pressed. */
  enable(states: Record<string, { isEnabled: boolean; isShown?: boolean }>): void {
    const focused = document.activeElement;
    for (const [act, { isEnabled, isShown = true }] of Object.entries(states)) {
      const button = this.#button(act);
      button.disabled = !isEnabled;
      button.hidden = !isShown;
    }
    if (!(focused instanceof HTMLButtonElement) || !this.#root.contains(focused)) return;
    if (!focused.disabled && !focused.hidden) return;
    this.#root.querySelector<HTMLElement>('button:enabled:not([hidden])')?.focus();
  }

  #button(act: string): HTMLButtonElement {
    return element(`[data-act="${act}"]`, this.#root) as HTMLButtonElement;
  }
}
