import type { Watched } from '../../../../client/index.js';
import type { MapSession } from '../map-session.js';
import { element } from './fields.js';
import { interval, meters } from './student-phone.js';

const states: Record<Watched['state'], string> = {
  waiting: 'not on the way',
  live: 'live',
  delayed: 'delayed',
  stale: 'stale',
  reconnecting: 'reconnecting',
  ended: 'ended',
};

/** All sessions with the state of their journeys, as text. */
export class JourneyList {
  readonly #buttons = new Map<string, HTMLButtonElement>();

  constructor(sessions: readonly MapSession[], onChosen: (session: MapSession) => void) {
    const list = element('#journeys');
    for (const session of sessions) {
      const button = document.createElement('button');
      button.type = 'button';
      button.dataset['session'] = session.id;
      const texts = ['name', 'place', 'state', 'far'].map((name) => {
        const text = document.createElement('span');
        text.className = name;
        return text;
      });
      button.append(...texts);
      button.addEventListener('click', () => {
        onChosen(session);
      });
      this.#buttons.set(session.id, button);
      const item = document.createElement('li');
      item.append(button);
      list.append(item);
      this.#write(session.id, { name: session.trainerName, place: session.place, state: states.waiting });
    }
  }

  choose(session: MapSession): void {
    for (const [id, button] of this.#buttons) {
      if (id === session.id) button.setAttribute('aria-current', 'true');
      else button.removeAttribute('aria-current');
    }
  }

  show({ id }: MapSession, { state, journey, etaLowSeconds, etaHighSeconds }: Watched): void {
    const button = this.#buttons.get(id);
    if (button === undefined) return;
    button.dataset['state'] = state;
    const reason = state === 'ended' && journey?.endedReason ? `: ${journey.endedReason}` : '';
    let far = '';
    if (journey?.isActive === true && state !== 'ended') {
      far = [
        meters(journey.distanceMeters),
        ...(etaLowSeconds === null ? [] : [interval(etaLowSeconds, etaHighSeconds)]),
      ].join(', ');
    }
    this.#write(id, { state: states[state] + reason, far });
  }

  #write(id: string, texts: Record<string, string>): void {
    for (const [name, text] of Object.entries(texts)) {
      const field = this.#buttons.get(id)?.querySelector(`.${name}`);
      if (field && field.textContent !== text) field.textContent = text;
    }
  }
}
