/** The entry `@admin-service/client/testing`. */
export { VirtualClock } from './virtual-clock.js';
