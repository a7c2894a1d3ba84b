import { JourneyApi, StudentWatcher, type Watched } from '../../../../client/index.js';
import type { MapSession } from '../map-session.js';
import { element } from './elements.js';
import { Fields } from './fields.js';
import type { PhoneNetwork } from './phone-network.js';
import type { StudentMap } from './student-map.js';
import { minutesLate, studentScreen } from './student-screen.js';
import { firstNameOf } from './wording.js';

export interface StudentPhoneDependencies {
  root: HTMLElement;
  serviceUrl: string;
  network: PhoneNetwork;
  map: StudentMap;
  onWatched: (session: MapSession, watched: Watched) => void;
}

/** The student's app with a StudentWatcher. */
export class StudentPhone {
  readonly #fields: Fields;
  readonly #with: StudentPhoneDependencies;
  #session: MapSession | undefined;
  #api: JourneyApi | undefined;
  #watcher: StudentWatcher | undefined;
  #isLocked = false;
  /** The watcher may still get the end of the previous journey. */
  #mayMissAStart = false;
  /** When this journey's trainer was first expected at the latest. */
  #promised: { startedAt: string; ms: number } | undefined;

  constructor(dependencies: StudentPhoneDependencies) {
    this.#with = dependencies;
    this.#fields = new Fields(dependencies.root);
    this.#fields.on('cut', () => {
      const { network } = this.#with;
      network.setCut(!network.isCut);
      if (!network.isCut) this.#api?.backOnline();
      this.#fields.press('cut', network.isCut, network.isCut ? 'Restore network' : 'Cut network');
    });
    this.#fields.on('lock', () => {
      this.#isLocked = !this.#isLocked;
      this.#watcher?.setBackground(this.#isLocked);
      this.#fields.press('lock', this.#isLocked, this.#isLocked ? 'Unlock screen' : 'Lock screen');
      dependencies.root.classList.toggle('locked', this.#isLocked);
    });
    setInterval(() => {
      this.#show();
    }, 1_000);
  }

  open(session: MapSession): void {
    this.#session = session;
    this.#fields.set('avatar', session.trainerName.slice(0, 1));
    this.#fields.set('name', session.trainerName);
    this.#fields.set('subject', `Your teacher for ${session.subject}`);
    this.#fields.set('place', session.place);
    this.#promised = undefined;
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
    watcher.on('ended', ({ reason }) => {
      if (this.#watcher !== watcher || reason === 'closed') return;
      if (this.#mayMissAStart) this.follow();
    });
    watcher.setBackground(this.#isLocked);
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
    if (this.#watcher === undefined || this.#session === undefined) return;
    const { watched } = this.#watcher;
    const who = firstNameOf(this.#session.trainerName);
    const { title, detail, stage, tone } = studentScreen(watched, who, this.#minutesLate(watched));
    const fields = this.#fields;
    fields.set('title', title);
    fields.set('detail', detail);
    const { root } = this.#with;
    Object.assign(root.dataset, { state: watched.state, tone, stage: String(stage ?? '') });
    const stages = [...element('.stages', root).children];
    stages.forEach((each, index) => {
      each.classList.toggle('reached', index < (stage ?? 0));
      if (index + 1 === stage) each.setAttribute('aria-current', 'step');
      else each.removeAttribute('aria-current');
    });
  }

  #minutesLate({ journey, etaLowSeconds, etaHighSeconds }: Watched): number {
    const startedAt = journey?.startedAt ?? '';
    const nowMs = performance.now();
    if (etaHighSeconds !== null && this.#promised?.startedAt !== startedAt)
      this.#promised = { startedAt, ms: nowMs + etaHighSeconds * 1_000 };
    return minutesLate(this.#promised?.ms, nowMs, etaLowSeconds);
  }
}
