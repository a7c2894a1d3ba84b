import type { PhonePosition } from '../../../../client/index.js';
import { planDrive, type Drive } from '../../../simulation/drive.js';
import type { GeoPoint } from '../../../simulation/places.js';
import { onEarth } from '../../../simulation/plane.js';
import { planRoute } from '../../../simulation/route.js';
import { routeHome } from '../../../simulation/streets.js';
import type { MapSession } from '../map-session.js';

const LENGTH_METERS = 900;
const TELEPORT = { east: 2_100, north: 2_100 };
const GPS_EVERY_MS = 1_000;

/** The trainer's phone: where it is, whether it moves, and its fix each second. */
export class Trip {
  readonly #session: MapSession;
  readonly #onFix: (position: PhonePosition) => void;
  readonly #home: GeoPoint;
  #drive: Drive;
  #drivenMs = 0;
  #timer: ReturnType<typeof setInterval>;
  route: GeoPoint[];
  isDriving = false;
  isGpsOn = true;

  constructor(session: MapSession, onFix: (position: PhonePosition) => void) {
    this.#session = session;
    this.#onFix = onFix;
    this.#home = session.home ?? session.streets.centre;
    this.route = planRoute(this.#home, LENGTH_METERS, session.streets.streetAngle, Math.random);
    this.#drive = planDrive(this.route, Math.random);
    this.#timer = setInterval(() => {
      this.#second();
    }, GPS_EVERY_MS);
  }

  get isThere(): boolean {
    return this.#drivenMs >= this.#drive.durationMs;
  }

  get place(): GeoPoint {
    const { latitude, longitude } = this.#drive.fixAt(this.#drivenMs);
    return { latitude, longitude };
  }

  get speed(): number {
    return this.isDriving ? this.#drive.fixAt(this.#drivenMs).speed : 0;
  }

  get isInTunnel(): boolean {
    return this.#drive.latestFixAt(this.#drivenMs).ageMs > 0;
  }

  /** Another way to the same home, from its beginning. */
  beginAnew(): void {
    this.#take(planRoute(this.#home, LENGTH_METERS, this.#session.streets.streetAngle, Math.random));
  }

  /** The rest of the way from another place, by the streets. */
  goOnFrom(place: GeoPoint): void {
    this.#take(routeHome(place, this.#home, this.#session.streets.streetAngle));
  }

  teleport(): void {
    this.goOnFrom(onEarth(this.place, TELEPORT));
    this.#report();
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #take(route: GeoPoint[]): void {
    this.route = route;
    this.#drive = planDrive(route, Math.random);
    this.#drivenMs = 0;
  }

  #second(): void {
    if (this.isDriving) this.#drivenMs += GPS_EVERY_MS;
    if (this.isThere) this.isDriving = false;
    this.#report();
  }

  #report(): void {
    if (!this.isGpsOn) return;
    const { fix, ageMs } = this.#drive.latestFixAt(this.#drivenMs);
    // In a tunnel the phone has no new one.
    if (ageMs > 0) return;
    this.#onFix({ coords: { ...fix, speed: this.speed } });
  }
}
