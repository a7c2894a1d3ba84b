import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JourneyCalls } from './journey-calls.js';
import { longMeters, planJourney, shortMeters } from './journey-plan.js';
import { JourneyRun } from './journey-run.js';
import { between, type Random, type Range } from './random.js';
import type { SimulatedSession } from './simulated-sessions.js';
import type { Tally } from './tally.js';

export interface SimulatorDependencies {
  calls: JourneyCalls;
  tally: Tally;
  random: Random;
  complain: (line: string) => void;
}

export interface Simulator {
  /** Ends all; with `cancel`, after every journey that still runs was stopped at the service. */
  stop(cancel: boolean): Promise<void>;
}

const pauseMs: Range = [4_000, 12_000];
const cancelWithinMs = 2_000;

/** One trainer for each list of sessions, who goes through them in turn, again and again. */
export function startSimulator(
  sessionsByTrainer: SimulatedSession[][],
  dependencies: SimulatorDependencies,
): Simulator {
  const stopping = new AbortController();
  // As many listen as there are trainers and students.
  setMaxListeners(0, stopping.signal);
  const underWay = new Map<string, SimulatedSession>();
  const trainers = sessionsByTrainer.map((sessions, index) =>
    work(sessions, index, underWay, stopping.signal, dependencies).catch((error: unknown) => {
      if (!stopping.signal.aborted) dependencies.complain(`a simulated trainer gave up: ${String(error)}`);
    }),
  );
  return {
    stop: async (cancel) => {
      stopping.abort();
      if (cancel) {
        const all = [...underWay.values()].map(({ trainerToken, id }) =>
          dependencies.calls.stop(trainerToken, id),
        );
        await Promise.race([Promise.all(all), sleep(cancelWithinMs, undefined, { ref: false })]);
      }
      await Promise.all(trainers);
    },
  };
}

async function work(
  sessions: SimulatedSession[],
  index: number,
  underWay: Map<string, SimulatedSession>,
  signal: AbortSignal,
  dependencies: SimulatorDependencies,
): Promise<void> {
  const { random } = dependencies;
  // Starts follow one another closely, so that a fleet of any size is on its way within ten seconds.
  await sleep(index < 10 ? index * 700 : random() * 10_000, undefined, { signal });
  for (let turn = 0; ; turn += 1) {
    const session = sessions[turn % sessions.length];
    if (session === undefined) return;
    // Every other first journey is short, so that an arrival is seen within two minutes.
    const isShort = turn === 0 ? index % 2 === 0 : random() < 0.4;
    const { home, neighbourhood } = session;
    const lengthMeters = isShort ? shortMeters : longMeters;
    const { drive, cancelAfterMs } = planJourney(home, neighbourhood.streetAngle, lengthMeters, random);
    // The very first one arrives, so that whoever has just started this sees it.
    const isFirst = turn + index === 0;
    underWay.set(session.id, session);
    await new JourneyRun(session, drive, { ...dependencies, signal }).run(
      isFirst ? undefined : cancelAfterMs,
    );
    underWay.delete(session.id);
    await sleep(between(pauseMs, random), undefined, { signal });
  }
}
