import type { Watched } from '../../../../client/index.js';
import type { MapSession, MapSettings } from '../map-session.js';
import { element, make } from './elements.js';
import type { MapView } from './map-view.js';
import { PhoneNetwork, type Call } from './phone-network.js';
import { StudentMap } from './student-map.js';
import { StudentPhone } from './student-phone.js';
import { TrainerPhone } from './trainer-phone.js';

const TRIP_EVERY_MS = 250;

export interface PhonesDependencies {
  settings: MapSettings;
  map: MapView;
  onCall: (call: Call) => void;
  onWatched: (session: MapSession, watched: Watched) => void;
}

/** The trainer's and the student's phone of the chosen session. */
export class Phones {
  readonly #map: MapView;
  readonly #trainer: TrainerPhone;
  readonly #student: StudentPhone;
  readonly #select = element('#session') as HTMLSelectElement;
  #session: MapSession | undefined;

  constructor({ settings, map, onCall, onWatched }: PhonesDependencies) {
    const { serviceUrl, tiles, sessions } = settings;
    this.#map = map;
    this.#trainer = new TrainerPhone({
      root: element('[data-phone="trainer"]'),
      network: new PhoneNetwork('trainer', onCall),
      serviceUrl,
      onMoved: () => {
        this.#showTrip();
      },
      onOtherWay: () => {
        this.#showTrip();
        this.look();
      },
    });
    this.#student = new StudentPhone({
      root: element('[data-phone="student"]'),
      network: new PhoneNetwork('student', onCall),
      map: new StudentMap(element('#student-map'), tiles),
      ...{ serviceUrl, onWatched },
    });
    for (const { id, isFree, subject, studentName } of sessions) {
      if (!isFree) continue;
      const option = make('option', '', `${studentName}: ${subject}`);
      option.value = id;
      this.#select.append(option);
    }
    this.#select.addEventListener('change', () => {
      const session = sessions.find(({ id }) => id === this.#select.value);
      if (session) this.choose(session);
    });
    setInterval(() => {
      this.#showTrip();
    }, TRIP_EVERY_MS);
  }

  get sessionId(): string {
    return this.#session?.id ?? '';
  }

  choose(session: MapSession): void {
    this.#session = session;
    this.#select.value = session.isFree ? session.id : '';
    this.#trainer.open(session);
    this.#student.open(session);
    this.#showTrip();
    this.look();
  }

  /** Shows the way of the chosen session on the map. */
  look(): void {
    if (this.#session === undefined) return;
    const { home, streets, id } = this.#session;
    this.#map.choose(id);
    const { trip } = this.#trainer;
    if (trip) this.#map.focus([home ?? streets.centre, ...trip.route]);
    else this.#map.focusOn(id);
  }

  hearOfAStart(): void {
    this.#student.hearsOfAStart();
  }

  #showTrip(): void {
    this.#map.showTrip(this.#trainer.trip);
  }
}
