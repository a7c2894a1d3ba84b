/** Compiled but never run: the SDK's own types of the contract take what the service answers, and it takes what they send. */
import type * as sdk from '../../src/client/contract.js';
import type { ErrorAnswer } from '../../src/contract/errors.js';
import type { EndReason } from '../../src/contract/events.js';
import type { z } from 'zod';
import type { Heartbeat, PositionUpdateBody, TrainerProblem } from '../../src/contract/requests.js';
import type * as answers from '../../src/contract/responses.js';

type Takes<Wider, Narrower extends Wider> = Narrower;

export type Compared = [
  Takes<sdk.ErrorCode, ErrorAnswer['error']['code']>,
  Takes<ErrorAnswer['error']['code'], sdk.ErrorCode>,
  Takes<sdk.ErrorDetails | undefined, ErrorAnswer['error']['details']>,
  Takes<sdk.EndReason, EndReason>,
  Takes<PositionUpdateBody, sdk.PositionUpdateBody>,
  Takes<z.input<typeof Heartbeat>, sdk.HeartbeatBody>,
  Takes<sdk.TrainerProblem, TrainerProblem>,
  Takes<TrainerProblem, sdk.TrainerProblem>,
  Takes<sdk.JourneyStarted, answers.JourneyStarted>,
  Takes<sdk.PositionRecorded, answers.PositionRecorded>,
  Takes<sdk.LiveJourney, answers.LiveJourney>,
  Takes<sdk.JourneyArrived, answers.JourneyArrived>,
  Takes<sdk.JourneyStopped, answers.JourneyStopped>,
];
