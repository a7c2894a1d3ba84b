import type { Watched } from '../../../../client/index.js';
import type { MapSession, MapSettings } from '../map-session.js';
import { element } from './fields.js';
import { Fleet } from './fleet.js';
import { JourneyList } from './journey-list.js';
import { CallLog, EventLog } from './logs.js';
import { MapView } from './map-view.js';
import { PhoneNetwork } from './phone-network.js';
import { followRunner, readSettings } from './runner-feed.js';
import { StudentMap } from './student-map.js';
import { StudentPhone } from './student-phone.js';
import { TrainerPhone } from './trainer-phone.js';

const MAP_EVERY_MS = 250;

/** Two phones on the chosen session, the map, the list and the logs. */
function run({ runId, serviceUrl, tiles, sessions }: MapSettings): void {
  const byId = new Map(sessions.map((session) => [session.id, session]));
  const calls = new CallLog();
  const events = new EventLog();
  const onCall = calls.show.bind(calls);
  const map = new MapView(element('#map'), tiles, sessions);
  const onWatched = (session: MapSession, watched: Watched) => {
    map.showTrainer(session, watched);
    list.show(session, watched);
  };
  const showTrip = () => {
    map.showTrip(trainer.trip);
  };
  const trainer = new TrainerPhone({
    root: element('[data-phone="trainer"]'),
    network: new PhoneNetwork('trainer', onCall),
    serviceUrl,
    onMoved: showTrip,
    onOtherWay: () => {
      showTrip();
      lookAt(byId.get(student.sessionId ?? ''));
    },
  });
  const student = new StudentPhone({
    root: element('[data-phone="student"]'),
    network: new PhoneNetwork('student', onCall),
    map: new StudentMap(element('#student-map'), tiles),
    ...{ serviceUrl, onWatched },
  });
  const fleet = new Fleet(serviceUrl, onWatched);

  const lookAt = (session: MapSession | undefined) => {
    if (session) map.focus(session, trainer.trip?.route ?? []);
  };
  const choose = (session: MapSession) => {
    const before = byId.get(student.sessionId ?? '');
    list.choose(session);
    trainer.open(session);
    // The student's phone follows it from now on, and the fleet the previous one.
    fleet.leave(session.id);
    student.open(session);
    if (before && before !== session) fleet.follow(before);
    showTrip();
    lookAt(session);
  };
  const list = new JourneyList(sessions, choose);
  const follow = (session: MapSession) => {
    if (session.id !== student.sessionId) fleet.follow(session);
    else student.hearsOfAStart();
  };

  const [first] = sessions;
  if (first) choose(first);
  for (const session of sessions) if (session !== first) follow(session);
  setInterval(showTrip, MAP_EVERY_MS);
  followRunner(runId, {
    onEvent: (event) => {
      const session = byId.get(String(event.detail['sessionId']));
      events.show(event, session ? `${session.trainerName}, ${session.place}` : '');
      if (session && event.detailType === 'TrainerJourneyStarted') follow(session);
    },
    onReach: (isThere) => {
      element('#runner-away').hidden = isThere;
      // A start may have been missed.
      if (isThere) for (const session of sessions) follow(session);
    },
  });
}

run(await readSettings());
