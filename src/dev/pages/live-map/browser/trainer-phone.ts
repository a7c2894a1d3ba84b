import {
  JourneyApi,
  TrainerTracker,
  type JourneyApiError,
  type TrackerCall,
  type TrainerProblem,
} from '../../../../client/index.js';
import type { MapSession } from '../map-session.js';
import { inWords } from './advice.js';
import { Fields } from './fields.js';
import type { PhoneNetwork } from './phone-network.js';
import { Trip } from './trip.js';

export interface TrainerPhoneDependencies {
  root: HTMLElement;
  serviceUrl: string;
  network: PhoneNetwork;
  /** Called when something on the map may have moved. */
  onMoved: () => void;
  /** Called when the phone has jumped to another place and has a new route. */
  onOtherWay: () => void;
}

const inCall: Record<TrackerCall, string> = {
  start: 'The start',
  resume: 'The resumption',
  update: 'The position',
  arrived: 'The arrival',
  stop: 'The cancellation',
};

const problems: Record<TrainerProblem, string> = {
  noFix: 'Your student can’t see you: no GPS.',
  permission: 'Your student can’t see you: allow the location.',
  reducedAccuracy: 'Your student sees you only roughly: allow the precise location.',
  lowPower: 'Your student can’t see you: turn the battery saver off.',
};

/** The trainer's app with a TrainerTracker. */
export class TrainerPhone {
  readonly #fields: Fields;
  readonly #with: TrainerPhoneDependencies;
  #session: MapSession | undefined;
  #api: JourneyApi | undefined;
  #tracker: TrainerTracker | undefined;
  #nextAtMs = NaN;
  #hasArrived = false;
  trip: Trip | undefined;

  constructor(dependencies: TrainerPhoneDependencies) {
    this.#with = dependencies;
    this.#fields = new Fields(dependencies.root);
    this.#connectButtons();
    setInterval(() => {
      this.#show();
    }, 500);
  }

  /** Becomes the phone of this session's trainer; buttons are disabled where the simulator drives. */
  open(session: MapSession): void {
    this.#tracker?.close();
    this.#tracker = undefined;
    this.trip?.end();
    this.trip = undefined;
    this.#session = session;
    this.#nextAtMs = NaN;
    this.#say('');
    this.#fields.set(
      'who',
      session.isFree ? session.place : `${session.trainerName}, driven by the simulator`,
    );
    this.#fields.set('sent', '–');
    this.#api = new JourneyApi({
      baseUrl: this.#with.serviceUrl,
      getToken: () => session.trainerToken,
      fetch: this.#with.network.fetch,
    });
    if (session.isFree) this.trip = new Trip(session, (position) => void this.#tracker?.push(position));
    this.#show();
    if (session.isFree && sessionStorage.getItem('driving') === session.id) void this.#goOn(session);
  }

  /** After a reload: continues the journey of this tab from its last position. */
  async #goOn(session: MapSession): Promise<void> {
    const answer = await this.#api?.live(session.id).catch(() => undefined);
    if (this.#session !== session) return;
    if (answer?.journey?.isActive !== true) {
      sessionStorage.removeItem('driving');
      return;
    }
    if (answer.journey.location !== null) this.trip?.goOnFrom(answer.journey.location);
    await this.#start();
    this.#say('The journey was running: this phone goes on with it.');
  }

  async #start(): Promise<void> {
    const [session, api] = [this.#session, this.#api];
    if (session === undefined || api === undefined || this.#isBusy()) return;
    const tracker = new TrainerTracker({ api, sessionId: session.id });
    this.#tracker = tracker;
    this.#listenTo(tracker);
    this.#takeOver(tracker, session);
    if (this.trip?.isGpsOn === false) tracker.report('noFix');
    sessionStorage.setItem('driving', session.id);
    await tracker.start().then(
      ({ wasRunning }) => {
        this.#say(
          wasRunning ? 'The journey was running already; this phone goes on with it.' : 'The journey is on.',
        );
      },
      (error: unknown) => {
        this.#say(inWords(error as JourneyApiError));
        tracker.close();
      },
    );
  }

  /** Of two tabs with the same phone, the one in which Start was pressed last drives. */
  #takeOver(tracker: TrainerTracker, { id }: MapSession): void {
    const untilTaken = () => new Promise<never>(() => undefined);
    navigator.locks.request(`trainer of ${id}`, { steal: true }, untilTaken).catch(() => {
      if (tracker !== this.#tracker || tracker.state === 'ended') return;
      sessionStorage.removeItem('driving');
      tracker.close();
      this.#say('Another tab drives this phone now. Start journey takes it back.');
    });
  }

  #listenTo(tracker: TrainerTracker): void {
    let before = tracker.state;
    tracker.on('state', (state) => {
      if (before === 'reconnecting' && state === 'tracking') this.#say('Connected again.');
      before = state;
      this.#show();
    });
    tracker.on('problem', (problem) => {
      this.#say(problem ? problems[problem] : 'Your student sees you again.');
    });
    tracker.on('sent', ({ nextUpdateMs, sequence }) => {
      this.#nextAtMs = performance.now() + nextUpdateMs;
      this.#fields.set('sent', `no. ${sequence}, ${new Date().toLocaleTimeString('en-GB')}`);
      if (this.trip?.isThere) this.#say('At the home. Press I have arrived.');
      else if (!this.trip?.isDriving && sequence === 0) this.#say('The journey is on. Press Drive.');
      this.#with.onMoved();
    });
    tracker.on('dropped', ({ error }) => {
      this.#say(inWords(error));
    });
    tracker.on('retrying', ({ call, error, inMs }) => {
      // How the tracker learns the sequence of a joined journey.
      if (error.code === 'LOCATION_STALE') return;
      this.#say(
        `${inCall[call]} did not get through (${error.code}); next try in ${Math.ceil(inMs / 1000)} s.`,
      );
    });
    tracker.on('ended', ({ reason }) => {
      if (this.trip) this.trip.isDriving = false;
      if (this.#tracker !== tracker || reason === 'closed') return;
      sessionStorage.removeItem('driving');
      this.#nextAtMs = NaN;
      this.#hasArrived = reason === 'arrived';
      this.#say(`The journey is over: ${reason}.`);
      this.#with.onMoved();
    });
  }

  #connectButtons(): void {
    const { network } = this.#with;
    this.#fields.on('start', () => {
      if (this.#hasArrived) this.trip?.beginAnew();
      if (this.#hasArrived) this.#with.onOtherWay();
      this.#hasArrived = false;
      void this.#start();
    });
    this.#fields.on('drive', () => {
      if (this.trip) this.trip.isDriving = !this.trip.isDriving;
      if (this.trip?.isDriving && !this.#isBusy())
        this.#say('Driving without a journey: press Start journey.');
      this.#show();
    });
    this.#fields.on('gps', () => {
      if (this.trip) this.trip.isGpsOn = !this.trip.isGpsOn;
      this.#tracker?.report(this.trip?.isGpsOn === false ? 'noFix' : null);
      this.#show();
    });
    this.#fields.on('teleport', () => {
      this.trip?.teleport();
      this.#say('The phone says that it is 3 km away, all of a sudden.');
      this.#with.onOtherWay();
    });
    this.#fields.on('cut', () => {
      network.setCut(!network.isCut);
      if (!network.isCut) this.#api?.backOnline();
      this.#show();
    });
    const showError = (error: unknown) => {
      this.#say(inWords(error as JourneyApiError));
    };
    this.#fields.on('arrive', () => {
      this.#tracker?.arrived().catch(showError);
    });
    this.#fields.on('cancel', () => {
      this.#tracker?.stop().catch(showError);
    });
  }

  #isBusy(): boolean {
    return this.#tracker !== undefined && !['idle', 'ended'].includes(this.#tracker.state);
  }

  #say(text: string): void {
    this.#fields.set('message', text);
  }

  #show(): void {
    const [fields, trip] = [this.#fields, this.trip];
    const state = this.#session?.isFree === false ? 'simulated' : (this.#tracker?.state ?? 'idle');
    fields.set('state', state);
    fields.mark('state', state);
    const isOn = state === 'tracking' || state === 'reconnecting';
    fields.button('start').disabled = trip === undefined || this.#isBusy();
    for (const act of ['gps', 'teleport'] as const) fields.button(act).disabled = trip === undefined;
    fields.button('drive').disabled = trip === undefined || trip.isThere;
    for (const act of ['arrive', 'cancel'] as const) fields.button(act).disabled = !isOn;
    const isDriving = trip?.isDriving === true;
    fields.press('drive', isDriving, isDriving ? 'Halt' : 'Drive');
    fields.press('gps', trip?.isGpsOn === false, trip?.isGpsOn === false ? 'Resume GPS' : 'Pause GPS');
    const { isCut } = this.#with.network;
    fields.press('cut', isCut, isCut ? 'Restore network' : 'Cut network');
    const leftMs = this.#nextAtMs - performance.now();
    fields.set('next', isOn && leftMs > 0 ? `${Math.ceil(leftMs / 1000)} s` : '–');
    fields.set('speed', trip ? `${Math.round(trip.speed * 3.6)} km/h` : '–');
    fields.set('gps', trip === undefined ? '–' : gpsOf(trip));
  }
}

function gpsOf({ isGpsOn, isInTunnel, isThere }: Trip): string {
  if (!isGpsOn) return 'paused';
  if (isInTunnel) return 'none, in a tunnel';
  return isThere ? 'on, at the home' : 'on';
}
