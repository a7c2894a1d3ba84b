import type { Watched } from '../../../../client/index.js';
import type { FleetJourney } from '../../../../contract/fleet.js';
import type { MapSession, MapSettings } from '../map-session.js';
import { Directory } from './directory.js';
import { element } from './elements.js';
import { FleetApi, repeat } from './fleet-api.js';
import { IdleList } from './idle-list.js';
import { JourneyPanel } from './journey-panel.js';
import { journeyState } from './journey-state.js';
import { JourneyTable } from './journey-table.js';
import { CallLog, EventLog } from './logs.js';
import { MapView } from './map-view.js';
import { Phones } from './phones.js';
import { followRunner, readSettings } from './runner-feed.js';

const FLEET_EVERY_MS = 2_000;

/** Two views of the same journeys: the phones of one session, and the whole fleet for support. */
class LiveMap {
  readonly #directory: Directory;
  readonly #main = element('main');
  readonly #calls = new CallLog();
  readonly #map: MapView;
  readonly #table: JourneyTable;
  readonly #idle: IdleList;
  readonly #phones: Phones;
  readonly #panel: JourneyPanel;
  #listed: readonly FleetJourney[] = [];
  /** Of the chosen session, which the student's phone follows by itself. */
  #watched: { session: MapSession; watched: Watched } | undefined;

  constructor(settings: MapSettings) {
    const { sessions, tiles } = settings;
    const [directory, api] = [(this.#directory = new Directory(sessions)), new FleetApi(settings)];
    const onChosen = (sessionId: string) => {
      this.#choose(sessionId);
    };
    this.#map = new MapView({ root: element('#map'), tiles, sessions, onChosen });
    this.#table = new JourneyTable({ root: element('#journeys'), directory, onChosen });
    this.#idle = new IdleList(sessions, ({ id }) => {
      this.#choose(id);
    });
    this.#phones = new Phones({
      ...{ settings, map: this.#map },
      onCall: (call) => {
        this.#calls.show(call);
      },
      onWatched: (session, watched) => {
        this.#watched = { session, watched };
        this.#showTrainers();
      },
    });
    const callsOf = (sessionId: string) => this.#calls.about(sessionId);
    this.#panel = new JourneyPanel({ root: element('#journey'), api, directory, callsOf });
    this.#connectViews();
    const [first] = sessions;
    if (first) this.#phones.choose(first);
    repeat(FLEET_EVERY_MS, async () => {
      this.#listed = await api.active();
      this.#table.show(this.#listed);
      this.#idle.show(this.#listed);
      this.#showTrainers();
    })();
    this.#follow(settings);
  }

  get #isFleet(): boolean {
    return location.hash === '#fleet';
  }

  #connectViews(): void {
    const show = () => {
      this.#main.dataset['view'] = this.#isFleet ? 'fleet' : 'phones';
      for (const link of document.querySelectorAll('nav a')) {
        if (link.getAttribute('href') === (location.hash || '#phones'))
          link.setAttribute('aria-current', 'page');
        else link.removeAttribute('aria-current');
      }
      this.#close();
      if (!this.#isFleet) this.#phones.look();
    };
    window.addEventListener('hashchange', show);
    element('#show-all').addEventListener('click', () => {
      this.#map.showAll();
    });
    element('#back').addEventListener('click', () => {
      const { sessionId } = this.#panel;
      this.#close();
      this.#table.focus(sessionId);
    });
    show();
  }

  #choose(sessionId: string): void {
    this.#table.choose(sessionId);
    if (!this.#isFleet) {
      const session = this.#directory.session(sessionId);
      if (session) this.#phones.choose(session);
      return;
    }
    this.#main.classList.add('opened');
    this.#panel.open(sessionId);
    this.#map.choose(sessionId);
    this.#map.focusOn(sessionId);
    // Where the panel replaces the table, the focused row has gone.
    if (!element('#journeys').checkVisibility()) element('#back').focus();
  }

  /** No journey is open beside the table. */
  #close(): void {
    this.#main.classList.remove('opened');
    this.#panel.close();
    this.#table.choose(this.#isFleet ? '' : this.#phones.sessionId);
    if (!this.#isFleet) return;
    this.#map.choose('');
    this.#map.showAll();
  }

  #showTrainers(): void {
    const ofPhone = this.#watched?.session.id;
    const shown = new Set<string>();
    for (const journey of this.#listed) {
      const { sessionId, location: position } = journey;
      if (position === null || sessionId === ofPhone) continue;
      shown.add(sessionId);
      const name = this.#directory.names(journey).trainer;
      const uncertaintyMeters = position.accuracy ?? null;
      this.#map.showTrainer({ sessionId, name, position, uncertaintyMeters, ...journeyState(journey) });
    }
    if (this.#watched) {
      const { session, watched } = this.#watched;
      const { state, position, uncertaintyMeters, trainerProblem } = watched;
      if (position !== null && state !== 'ended') {
        shown.add(session.id);
        const trainer = { sessionId: session.id, name: session.trainerName, position, uncertaintyMeters };
        this.#map.showTrainer({ ...trainer, state: trainerProblem ? 'stale' : state });
      }
    }
    this.#map.keepOnly(shown);
  }

  #follow({ runId }: MapSettings): void {
    const events = new EventLog();
    followRunner(runId, {
      onEvent: (event) => {
        const { sessionId, trainerId, reason } = event.detail as Record<string, string | undefined>;
        const session = this.#directory.session(sessionId ?? '');
        events.show(
          event,
          session ? `${session.trainerName} to ${session.studentName}, ${session.place}` : '',
        );
        if (event.detailType === 'TrainerJourneyEnded') this.#idle.ended(trainerId ?? '', reason ?? '');
        if (event.detailType === 'TrainerJourneyStarted' && sessionId === this.#phones.sessionId)
          this.#phones.hearOfAStart();
      },
      onReach: (isThere) => {
        element('#runner-away').hidden = isThere;
        // A start may have been missed.
        if (isThere) this.#phones.hearOfAStart();
      },
    });
  }
}

new LiveMap(await readSettings());
