/** The real service did not do what the contract says. */
export class Divergence extends Error {}

/** The service was too busy to answer: nothing can be said of such a history. */
export class Inconclusive extends Error {}
