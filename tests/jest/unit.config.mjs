import { shared, unitTests } from './shared.mjs';

export default { ...shared, displayName: 'unit', testMatch: unitTests };
