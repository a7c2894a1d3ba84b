/** The entry `@admin-service/client/testing`. */
export { refusal, success } from './answers.js';
export type { Place } from './fake-journey.js';
export type { FakeAnswer, FakeCall, FakeScript } from './fake-network.js';
export { FakeService } from './fake-service.js';
export { VirtualClock } from './virtual-clock.js';
