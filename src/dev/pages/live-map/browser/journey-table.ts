import type { FleetJourney } from '../../../../contract/fleet.js';
import type { Directory } from './directory.js';
import { element, make, moveByArrows, setTabStop, setText } from './elements.js';
import { journeyState, rankOf } from './journey-state.js';
import { ago, distance, minutes } from './wording.js';

type SortBy = 'trainer' | 'state' | 'distance' | 'arrives';

const columns = ['student', 'state', 'distance', 'arrives'] as const;
const uuid = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i;

export interface JourneyTableDependencies {
  root: HTMLElement;
  directory: Directory;
  onChosen: (sessionId: string) => void;
}

/** All active journeys, one row per trainer, the worst first. */
export class JourneyTable {
  readonly #with: JourneyTableDependencies;
  readonly #body: HTMLElement;
  readonly #search: HTMLInputElement;
  readonly #filter: HTMLSelectElement;
  readonly #rows = new Map<string, HTMLTableRowElement>();
  #journeys: readonly FleetJourney[] = [];
  #sort: { by: SortBy; isDescending: boolean } = { by: 'state', isDescending: false };
  #chosen = '';

  constructor(dependencies: JourneyTableDependencies) {
    const { root, onChosen } = (this.#with = dependencies);
    this.#body = element('tbody', root);
    this.#search = element('[type=search]', root) as HTMLInputElement;
    this.#filter = element('select', root) as HTMLSelectElement;
    moveByArrows(this.#body);
    this.#search.addEventListener('input', () => {
      this.#draw();
    });
    this.#filter.addEventListener('change', () => {
      this.#draw();
    });
    // Journeys that have ended are not listed, and can still be looked up.
    element('form', root).addEventListener('submit', (event) => {
      event.preventDefault();
      const id = this.#search.value.trim().toLowerCase();
      const [only, ...others] = this.#found();
      if (uuid.test(id)) onChosen(only?.sessionId ?? id);
      else if (only && others.length === 0) onChosen(only.sessionId);
    });
    for (const button of root.querySelectorAll<HTMLElement>('[data-sort]'))
      button.addEventListener('click', () => {
        const by = button.dataset['sort'] as SortBy;
        this.#sort = { by, isDescending: this.#sort.by === by && !this.#sort.isDescending };
        this.#draw();
      });
  }

  show(journeys: readonly FleetJourney[]): void {
    this.#journeys = journeys;
    this.#draw();
  }

  choose(sessionId: string): void {
    this.#chosen = sessionId;
    for (const [id, row] of this.#rows) markChosen(row, id === sessionId);
    setTabStop(this.#body, this.#rows.get(sessionId)?.querySelector('button') ?? null);
  }

  /** The journey may have ended meanwhile. */
  focus(sessionId: string): void {
    (this.#rows.get(sessionId)?.querySelector('button') ?? this.#search).focus();
  }

  #found(): FleetJourney[] {
    const words = this.#search.value.toLowerCase().split(/\s+/);
    return this.#journeys.filter((journey) => {
      const { sessionId, trainerId, studentId } = journey;
      const { trainer, student, place } = this.#with.directory.names(journey);
      const text = [trainer, student, place, sessionId, trainerId, studentId].join(' ').toLowerCase();
      const isState = ['', journeyState(journey).state].includes(this.#filter.value);
      return isState && words.every((word) => text.includes(word));
    });
  }

  #draw(): void {
    const found = this.#found().sort((one, other) => this.#compare(one, other));
    const rows = found.map((journey) => this.#rowOf(journey));
    const shown = new Set(found.map(({ sessionId }) => sessionId));
    for (const id of this.#rows.keys()) if (!shown.has(id)) this.#rows.delete(id);
    if (
      rows.some((row, index) => row !== this.#body.children[index]) ||
      rows.length < this.#body.children.length
    ) {
      const focused = document.activeElement;
      this.#body.replaceChildren(...rows);
      // Who moves in the list by keyboard stays in the row.
      if (focused instanceof HTMLElement && this.#body.contains(focused)) focused.focus();
      setTabStop(this.#body, null);
    }
    const { root } = this.#with;
    setText(element('[data-field=count]', root), countOf(this.#journeys));
    element('.nothing', root).hidden = rows.length > 0;
    for (const heading of root.querySelectorAll('th:has([data-sort])')) {
      const by = heading.querySelector<HTMLElement>('[data-sort]')?.dataset['sort'];
      const direction = this.#sort.isDescending ? 'descending' : 'ascending';
      heading.setAttribute('aria-sort', by === this.#sort.by ? direction : 'none');
    }
  }

  #rowOf(journey: FleetJourney): HTMLTableRowElement {
    const id = journey.sessionId;
    const row = this.#rows.get(id) ?? this.#newRow(id);
    this.#rows.set(id, row);
    const { trainer, student, place } = this.#with.directory.names(journey);
    const { state, text } = journeyState(journey);
    row.dataset['state'] = state;
    setText(element('button', row), trainer);
    const { ageMs, distanceMeters, etaSeconds } = journey;
    const texts = {
      student,
      state: text,
      distance: distanceMeters === null ? '–' : distance(distanceMeters),
      arrives: etaSeconds === null ? '–' : etaSeconds < 60 ? 'now' : `in ${minutes(etaSeconds)}`,
    };
    for (const name of columns) setText(element(`.${name} span`, row), texts[name]);
    setText(element('.place', row), place);
    setText(element('.to', row), `to ${student}`);
    setText(element('.age', row), ageMs === null ? '' : ago(ageMs));
    return row;
  }

  #newRow(id: string): HTMLTableRowElement {
    const button = make('button');
    button.type = 'button';
    const head = make('th', 'name', button, make('small', 'to'));
    head.scope = 'row';
    const cells = columns.map((name) => make('td', name, make('span')));
    cells[0]?.append(make('small', 'place'));
    cells[1]?.append(make('small', 'age'));
    const row = make('tr', '', head, ...cells);
    row.dataset['session'] = id;
    // Also of the button.
    row.addEventListener('click', () => {
      this.#with.onChosen(id);
    });
    markChosen(row, id === this.#chosen);
    return row;
  }

  #compare(one: FleetJourney, other: FleetJourney): number {
    const { by, isDescending } = this.#sort;
    const nameOf = (journey: FleetJourney) => this.#with.directory.names(journey).trainer;
    const byName = nameOf(one).localeCompare(nameOf(other));
    const value = { state: rankOf, distance: metersOf, arrives: secondsOf, trainer: () => 0 }[by];
    const [first, second] = [value(one), value(other)];
    const order = first === second ? byName : first < second ? -1 : 1;
    return isDescending ? -order : order;
  }
}

const metersOf = ({ distanceMeters }: FleetJourney) => distanceMeters ?? Infinity;
const secondsOf = ({ etaSeconds }: FleetJourney) => etaSeconds ?? Infinity;

function markChosen(row: HTMLTableRowElement, isChosen: boolean): void {
  row.classList.toggle('chosen', isChosen);
  const button = element('button', row);
  if (isChosen) button.setAttribute('aria-current', 'true');
  else button.removeAttribute('aria-current');
}

/** "5 on the way, 1 stale" */
function countOf(journeys: readonly FleetJourney[]): string {
  const counts = new Map<string, number>();
  for (const journey of journeys) {
    const what = journey.trainerProblem ? 'with a problem' : (journey.freshness ?? 'without a position');
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  const worst = ['with a problem', 'stale', 'delayed'].filter((what) => counts.has(what));
  return [`${journeys.length} on the way`, ...worst.map((what) => `${counts.get(what)} ${what}`)].join(', ');
}
