/** What the app has of its own, as the following declarations. */
export const auth: { token(forceRefresh: boolean): Promise<string>; signOut(): Promise<void> };
