export function useIsInBackground(): boolean;
