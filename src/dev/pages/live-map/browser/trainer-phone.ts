import { JourneyApi, TrainerTracker, type JourneyApiError } from '../../../../client/index.js';
import type { MapSession } from '../map-session.js';
import { Fields } from './fields.js';
import type { PhoneNetwork } from './phone-network.js';
import { inWords, trainerScreen } from './trainer-screen.js';
import { Trip } from './trip.js';
import { timeOfDay } from './wording.js';

export interface TrainerPhoneDependencies {
  root: HTMLElement;
  serviceUrl: string;
  network: PhoneNetwork;
  /** Called when something on the map may have moved. */
  onMoved: () => void;
  /** Called when the phone has jumped to another place and has a new route. */
  onOtherWay: () => void;
}

const MESSAGE_MS = 10_000;
const nothing = { state: 'idle', problem: null, lastSent: null, lastError: null, ended: null } as const;
const standing = { isDriving: false, isThere: false, speed: 0 };

/** The trainer's app with a TrainerTracker. */
export class TrainerPhone {
  readonly #fields: Fields;
  readonly #with: TrainerPhoneDependencies;
  #session: MapSession | undefined;
  #api: JourneyApi | undefined;
  #tracker: TrainerTracker | undefined;
  #hasArrived = false;
  #saying: ReturnType<typeof setTimeout> | undefined;
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
    this.#say('');
    this.#fields.set('to', `To ${session.studentName}, ${session.place}`);
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
    this.#say('Your journey goes on.');
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
        if (wasRunning) this.#say('The journey was running already. This phone joins it.');
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
      this.#say('Start journey takes it back.');
    });
  }

  #listenTo(tracker: TrainerTracker): void {
    tracker.on('change', () => {
      this.#show();
    });
    tracker.on('sent', () => {
      this.#fields.set('sent', timeOfDay(new Date()));
      this.#with.onMoved();
    });
    tracker.on('ended', ({ reason }) => {
      if (this.trip) this.trip.isDriving = false;
      if (this.#tracker !== tracker || reason === 'closed') return;
      sessionStorage.removeItem('driving');
      this.#hasArrived = reason === 'arrived';
      this.#say('');
      this.#show();
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
        this.#say('Nobody sees you drive: press Start journey first.');
      this.#show();
    });
    this.#fields.on('gps', () => {
      if (this.trip) this.trip.isGpsOn = !this.trip.isGpsOn;
      this.#tracker?.report(this.trip?.isGpsOn === false ? 'noFix' : null);
      this.#show();
    });
    this.#fields.on('teleport', () => {
      this.trip?.teleport();
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
    clearTimeout(this.#saying);
    this.#saying = setTimeout(() => {
      this.#fields.set('message', '');
    }, MESSAGE_MS);
  }

  #show(): void {
    const [fields, trip] = [this.#fields, this.trip];
    const tracked = this.#tracker?.tracked ?? nothing;
    const { state } = tracked;
    const { title, detail, tone } = trip
      ? trainerScreen(tracked, trip)
      : {
          title: 'Driven by the simulator',
          detail: 'To drive, choose a trainer marked “you” in the list.',
          tone: 'calm',
        };
    fields.set('title', title);
    fields.set('detail', detail);
    Object.assign(this.#with.root.dataset, { state: trip ? state : 'simulated', tone });
    const { isDriving, isThere, speed } = trip ?? standing;
    const isFree = trip !== undefined;
    const isOn = state === 'tracking' || state === 'reconnecting';
    fields.enable({
      start: { isEnabled: isFree && !this.#isBusy(), isShown: !isOn },
      arrive: { isEnabled: isOn, isShown: isOn },
      cancel: { isEnabled: isOn, isShown: isOn },
      drive: { isEnabled: isFree && !isThere },
      teleport: { isEnabled: isFree },
      gps: { isEnabled: isFree },
    });
    const isPaused = trip?.isGpsOn === false;
    fields.press('drive', isDriving, isDriving ? 'Stop driving' : 'Drive');
    fields.press('gps', isPaused, isPaused ? 'Resume GPS' : 'Pause GPS');
    const { isCut } = this.#with.network;
    fields.press('cut', isCut, isCut ? 'Restore network' : 'Cut network');
    fields.set('speed', `${Math.round(speed * 3.6)} km/h`);
    fields.set(
      'gps',
      trip === undefined ? '–' : isPaused ? 'off' : trip.isInTunnel ? 'none, in a tunnel' : 'on',
    );
  }
}
