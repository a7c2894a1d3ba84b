import type { FC } from 'react';
import type { Location } from '@admin-service/client';

export const TrainerMap: FC<{ at: Location; isGrey: boolean; ageMs: number | null }>;
