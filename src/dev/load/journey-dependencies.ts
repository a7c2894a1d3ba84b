import type { Random } from '../simulation/random.js';
import type { Connections } from './connections.js';
import type { Recorder } from './recorder.js';

export interface JourneyDependencies {
  url: URL;
  connections: Connections;
  recorder: Recorder;
  random: Random;
  watch: 'poll' | 'wait';
}
