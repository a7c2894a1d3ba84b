import type { DiagnosedJourney, Diagnosis, TimelineEntry } from '../../../../contract/fleet.js';
import type { Directory } from './directory.js';
import { element, make, setText } from './elements.js';
import { Fields } from './fields.js';
import { repeat, type FleetApi } from './fleet-api.js';
import { journeyState } from './journey-state.js';
import type { Call } from './phone-network.js';
import { ago, distance, minutes, timeOfDay } from './wording.js';

const EVERY_MS = 2_000;
const MOST_CALLS = 8;

export interface JourneyPanelDependencies {
  root: HTMLElement;
  api: FleetApi;
  directory: Directory;
  /** Of the phones on this page, the newest first. */
  callsOf: (sessionId: string) => Call[];
}

/** One journey as support sees it: the diagnosis, figures, timeline, events and calls. */
export class JourneyPanel {
  readonly #with: JourneyPanelDependencies;
  readonly #fields: Fields;
  readonly #now: () => void;
  #sessionId = '';

  constructor(dependencies: JourneyPanelDependencies) {
    this.#with = dependencies;
    this.#fields = new Fields(dependencies.root);
    this.#now = repeat(EVERY_MS, () => this.#load());
  }

  get sessionId(): string {
    return this.#sessionId;
  }

  open(sessionId: string): void {
    this.#sessionId = sessionId;
    this.#now();
  }

  close(): void {
    this.#sessionId = '';
  }

  async #load(): Promise<void> {
    const id = this.#sessionId;
    if (id === '') return;
    const journey = await this.#with.api.journey(id);
    if (id !== this.#sessionId) return;
    const { root } = this.#with;
    root.dataset['session'] = id;
    root.classList.toggle('found', journey !== null);
    this.#fields.set('id', id);
    if (journey) this.#show(journey);
    else this.#fields.set('title', 'No journey of this session in the last 24 hours');
  }

  #show(journey: DiagnosedJourney): void {
    const fields = this.#fields;
    const { trainer, student, place } = this.#with.directory.names(journey);
    const { state, text } = journey.isActive
      ? journeyState(journey)
      : { state: 'ended', text: journey.endedReason ?? 'Ended' };
    fields.set('title', trainer);
    fields.set('to', `to ${student}, ${place}`);
    fields.set('state', text);
    fields.mark('state', state);
    fields.field('diagnosis').replaceChildren(...journey.diagnosis.map(diagnosisItem));
    this.#showFigures(journey);
    fill(fields.field('timeline'), journey.timeline.toReversed().map(timelineItem));
    fill(fields.field('events'), journey.diagnostics.events.map(eventItem));
    fill(fields.field('calls'), this.#with.callsOf(journey.sessionId).slice(0, MOST_CALLS).map(callItem));
    setText(fields.field('answer'), JSON.stringify(journey, null, 2));
  }

  #showFigures({
    ageMs,
    distanceMeters,
    etaSeconds,
    startedAt,
    expiresAt,
    endedAt,
    diagnostics,
  }: DiagnosedJourney) {
    const { acceptedUpdates, refusedUpdates, lastRefusal, nextUpdateDueAt, lastWatchedAt, watchers } =
      diagnostics;
    const since = (time: string | null) => (time === null ? '–' : ago(Date.now() - Date.parse(time)));
    const refused = Object.entries(refusedUpdates).map(([code, count]) => `${count} × ${code}`);
    const figures: [string, string][] = [
      ['Position', ageMs === null ? 'none' : ago(ageMs)],
      ['Distance', distanceMeters === null ? '–' : distance(distanceMeters)],
      ['Arrives', etaSeconds === null ? 'not known' : `in about ${minutes(etaSeconds)}`],
      [
        'Student watches',
        watchers > 0 ? 'yes' : lastWatchedAt === null ? 'no' : `no, last ${since(lastWatchedAt)}`,
      ],
      ['Updates accepted', String(acceptedUpdates)],
      ['Updates refused', refused.join(', ') || 'none'],
      ['Last refusal', lastRefusal ? `${since(lastRefusal.at)}${overLimit(lastRefusal)}` : 'none'],
      ['Next update due', nextUpdateDueAt === null ? '–' : timeOfDay(nextUpdateDueAt)],
      ['Started', startedAt === null ? '–' : timeOfDay(startedAt)],
      endedAt === null ? ['Ends at the latest', timeOfDay(expiresAt ?? '')] : ['Ended', timeOfDay(endedAt)],
    ];
    const rows = figures.map(([name, value]) => make('div', '', make('dt', '', name), make('dd', '', value)));
    this.#fields.field('figures').replaceChildren(...rows);
  }
}

function overLimit({
  reason,
  overLimit: over,
}: NonNullable<DiagnosedJourney['diagnostics']['lastRefusal']>): string {
  if (over === undefined) return '';
  if (reason === 'speed') return `, ${distance(over)} too far`;
  if (reason === 'sequence') return `, ${over} behind`;
  return `, by ${(over / 1_000).toFixed(1)} s`;
}

function diagnosisItem({ verdict, message }: Diagnosis): HTMLElement {
  const item = make(
    'li',
    '',
    make('p', '', message),
    ...(verdict === 'ok' ? [] : [make('code', '', verdict)]),
  );
  item.dataset['verdict'] = verdict === 'ok' || verdict === 'ended' ? verdict : 'problem';
  return item;
}

const kinds: Record<TimelineEntry['kind'], string> = {
  started: 'Journey started',
  firstFix: 'First position',
  refused: 'Updates refused',
  reanchored: 'Accepted a new place after refusals',
  stale: 'Position became stale',
  recovered: 'Positions came again',
  problem: 'Phone reported a problem',
  nearby: 'Near the home',
  arrived: 'Arrived',
  cancelled: 'Cancelled',
  timeout: 'Reached the time limit',
};

function timelineItem({
  kind,
  at,
  lastAt,
  count = 1,
  code,
  reason,
  problem,
  by,
}: TimelineEntry): HTMLElement {
  const details = [
    count > 1 ? `${count} times${lastAt ? `, until ${timeOfDay(lastAt)}` : ''}` : '',
    [code, reason && `(${reason})`].filter(Boolean).join(' '),
    problem ?? '',
    by ? `by the ${by}` : '',
  ].filter((part) => part !== '');
  const item = make('li', '', make('time', '', timeOfDay(at)), make('span', '', kinds[kind]));
  if (details.length > 0) item.append(make('small', '', details.join(' · ')));
  item.dataset['kind'] = kind;
  return item;
}

function eventItem({ type, at, count }: DiagnosedJourney['diagnostics']['events'][number]): HTMLElement {
  return make(
    'li',
    '',
    make('time', '', timeOfDay(at)),
    make('span', '', type + (count > 1 ? ` × ${count}` : '')),
  );
}

function callItem({ startedAt, method, path, status, code }: Call): HTMLElement {
  const result = status === null ? 'waiting' : status === 0 ? 'no answer' : `${status} ${code}`;
  const what = `${method} ${path.replace(/\?.*/, '').replace(/^.*\//, '…/')}`;
  return make(
    'li',
    '',
    make('time', '', timeOfDay(startedAt)),
    make('span', '', what),
    make('small', '', result),
  );
}

/** Sections without anything are not shown. */
function fill(list: HTMLElement, items: HTMLElement[]): void {
  list.replaceChildren(...items);
  element('h3', list.parentElement ?? list).hidden = items.length === 0;
}
