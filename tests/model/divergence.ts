/** The service differs from the model. */
export class Divergence extends Error {}

/** The service was too busy to answer, so the history proves nothing. */
export class Inconclusive extends Error {}
