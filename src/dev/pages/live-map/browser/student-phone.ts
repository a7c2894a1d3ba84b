import {
  JourneyApi,
  StudentWatcher,
  type EndedBecause,
  type TrainerProblem,
  type Watched,
} from '../../../../client/index.js';
import type { MapSession } from '../map-session.js';
import { Fields } from './fields.js';
import type { PhoneNetwork } from './phone-network.js';
import type { StudentMap } from './student-map.js';

export interface StudentPhoneDependencies {
  root: HTMLElement;
  serviceUrl: string;
  network: PhoneNetwork;
  map: StudentMap;
  onWatched: (session: MapSession, watched: Watched) => void;
}

const headlines: Record<Watched['state'], string> = {
  waiting: 'Not on the way yet',
  live: 'On the way',
  delayed: 'On the way; the position is a little old',
  stale: 'No new position for a while',
  reconnecting: 'No connection: the last known position',
  ended: 'The journey is over',
};

const problems: Record<TrainerProblem, string> = {
  noFix: 'The trainer’s phone has no GPS: the last known position',
  permission: 'The trainer’s phone gives no position: the last known one',
  reducedAccuracy: 'The trainer’s phone gives only a rough position',
  lowPower: 'The trainer’s phone saves power: the last known position',
};

const STANDS_FROM_SECONDS = 30;

const ends: Partial<Record<EndedBecause, string>> = {
  arrived: 'The trainer has arrived.',
  cancelled: 'The trainer is not coming: the journey was cancelled.',
  timeout: 'The trainer did not arrive in time: the journey ran out.',
};

/** The student's app with a StudentWatcher. */
export class StudentPhone {
  readonly #fields: Fields;
  readonly #with: StudentPhoneDependencies;
  #session: MapSession | undefined;
  #api: JourneyApi | undefined;
  #watcher: StudentWatcher | undefined;
  #isInBackground = false;
  /** The watcher may still get the end of the previous journey. */
  #mayMissAStart = false;

  constructor(dependencies: StudentPhoneDependencies) {
    this.#with = dependencies;
    this.#fields = new Fields(dependencies.root);
    this.#fields.on('cut', () => {
      const { network } = this.#with;
      network.setCut(!network.isCut);
      if (!network.isCut) this.#api?.backOnline();
      this.#fields.press('cut', network.isCut, network.isCut ? 'Restore network' : 'Cut network');
    });
    this.#fields.on('background', () => {
      this.#isInBackground = !this.#isInBackground;
      this.#watcher?.setBackground(this.#isInBackground);
      const text = this.#isInBackground ? 'To foreground' : 'To background';
      this.#fields.press('background', this.#isInBackground, text);
    });
    setInterval(() => {
      this.#show();
    }, 1_000);
  }

  open(session: MapSession): void {
    this.#session = session;
    this.#fields.set('who', session.place);
    this.#fields.set('message', '');
    this.#api = new JourneyApi({
      baseUrl: this.#with.serviceUrl,
      getToken: () => session.studentToken,
      fetch: this.#with.network.fetch,
    });
    this.follow();
  }

  /** Follows the session with a new watcher, because a watcher ends with its journey. */
  follow(): void {
    const [session, api] = [this.#session, this.#api];
    if (session === undefined || api === undefined) return;
    this.#watcher?.close();
    this.#mayMissAStart = false;
    const watcher = new StudentWatcher({ api, sessionId: session.id });
    this.#watcher = watcher;
    watcher.on('change', (watched) => {
      if (this.#watcher !== watcher) return;
      if (watched.journey?.isActive === true) this.#mayMissAStart = false;
      this.#show();
      this.#with.map.show(session, watched);
      this.#with.onWatched(session, watched);
    });
    watcher.on('retrying', ({ error, inMs }) => {
      this.#fields.set('message', `No news (${error.code}); asks again in ${Math.ceil(inMs / 1000)} s.`);
    });
    watcher.on('ended', ({ reason }) => {
      if (this.#watcher !== watcher || reason === 'closed') return;
      if (this.#mayMissAStart) this.follow();
      else this.#fields.set('message', ends[reason] ?? `Ended: ${reason}.`);
    });
    watcher.setBackground(this.#isInBackground);
    watcher.start();
    this.#with.map.show(session, watcher.watched);
    this.#show();
  }

  /** As by a push message: a journey of the session may have started. */
  hearsOfAStart(): void {
    if (this.#watcher !== undefined && this.#watcher.state !== 'ended') this.#mayMissAStart = true;
    else this.follow();
  }

  get sessionId(): string | undefined {
    return this.#session?.id;
  }

  #show(): void {
    if (this.#watcher === undefined) return;
    const { watched } = this.#watcher;
    const { state, position, ageMs, journey } = watched;
    const fields = this.#fields;
    if (state !== 'reconnecting' && state !== 'ended') fields.set('message', '');
    fields.set('state', state);
    fields.mark('state', state);
    fields.set('headline', headlineOf(watched));
    const isShown = state !== 'ended' && position !== null && journey !== null;
    fields.set('distance', isShown ? meters(journey.distanceMeters) : '–');
    fields.set('eta', isShown ? interval(watched.etaLowSeconds, watched.etaHighSeconds) : '–');
    fields.set(
      'position',
      isShown ? `${position.latitude.toFixed(5)}, ${position.longitude.toFixed(5)}` : '–',
    );
    fields.set('age', isShown && ageMs !== null ? `${Math.round(ageMs / 1000)} s ago` : '–');
    fields.set('within', isShown ? meters(watched.uncertaintyMeters) : '–');
  }
}

function headlineOf({ state, trainerProblem, stillSeconds }: Watched): string {
  if (trainerProblem && state !== 'reconnecting' && state !== 'ended') return problems[trainerProblem];
  const stands = state === 'live' && (stillSeconds ?? 0) >= STANDS_FROM_SECONDS;
  return stands ? `On the way; standing for ${stillSeconds} s` : headlines[state];
}

export function meters(value: number | null): string {
  if (value === null) return '–';
  return value < 1_000 ? `${value} m` : `${(value / 1_000).toFixed(1)} km`;
}

/** An interval for people. */
export function interval(lowSeconds: number | null, highSeconds: number | null): string {
  if (lowSeconds === null || highSeconds === null) return 'not known yet';
  if (highSeconds < 90) return `${lowSeconds} to ${highSeconds} s`;
  const [low, high] = [Math.max(1, Math.round(lowSeconds / 60)), Math.ceil(highSeconds / 60)];
  return low === high ? `${low} min` : `${low} to ${high} min`;
}
