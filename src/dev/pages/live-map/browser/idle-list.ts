import type { FleetJourney } from '../../../../contract/fleet.js';
import type { MapSession } from '../map-session.js';
import { element, make, moveByArrows, setTabStop, setText } from './elements.js';

/** The trainers who are not on the way, one row each. */
export class IdleList {
  readonly #root = element('#idle');
  readonly #list = element('#idle ul');
  readonly #rows = new Map<string, HTMLElement>();

  constructor(sessions: readonly MapSession[], onChosen: (session: MapSession) => void) {
    moveByArrows(this.#list);
    for (const session of sessions) {
      if (this.#rows.has(session.trainerId)) continue;
      const name = session.trainerName + (session.isFree ? ' (you)' : '');
      const button = make(
        'button',
        '',
        make('span', 'name', name),
        make('span', 'place', session.place),
        make('span', 'end'),
      );
      button.type = 'button';
      button.addEventListener('click', () => {
        onChosen(session);
      });
      const row = make('li', '', button);
      this.#rows.set(session.trainerId, row);
      this.#list.append(row);
    }
    setTabStop(this.#list, null);
  }

  show(journeys: readonly FleetJourney[]): void {
    const busy = new Set(journeys.map(({ trainerId }) => trainerId));
    for (const [trainerId, row] of this.#rows) row.hidden = busy.has(trainerId);
    const idle = [...this.#rows.values()].filter(({ hidden }) => !hidden);
    setText(element('summary', this.#root), `Not on the way (${idle.length})`);
  }

  /** How the trainer's last journey ended. */
  ended(trainerId: string, reason: string): void {
    const row = this.#rows.get(trainerId);
    if (row) setText(element('.end', row), reason);
  }
}
