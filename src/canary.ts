import { canaryJourney, type CanaryResult } from './canary/canary-journey.js';
import { CanaryConfigError, readCanaryConfig, type CanaryConfig } from './config/canary.js';

/** The task is started once a minute; two canaries must not share the session. */
const TIMEOUT_MS = 40_000;

const config = configOrExit();
const result = await canaryJourney(config, TIMEOUT_MS);
process.stdout.write(`${JSON.stringify(logLine(result))}\n`);
process.exit(result.kind === 'passed' ? 0 : 1);

function configOrExit(): CanaryConfig {
  try {
    return readCanaryConfig();
  } catch (error) {
    if (!(error instanceof CanaryConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

/** CloudWatch extracts the metrics from it: Amazon CloudWatch User Guide, "Specification: Embedded metric format". */
function logLine(result: CanaryResult): Record<string, unknown> {
  const { kind, ...rest } = result;
  const isFailed = kind === 'failed';
  return {
    level: isFailed ? 'error' : 'info',
    msg: `canary journey ${kind}`,
    ...rest,
    canary_failed: isFailed ? 1 : 0,
    canary_duration_seconds: result.seconds,
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [
        {
          Namespace: 'admin-service',
          Dimensions: [[]],
          Metrics: [
            { Name: 'canary_failed', Unit: 'Count' },
            { Name: 'canary_duration_seconds', Unit: 'Seconds' },
          ],
        },
      ],
    },
  };
}
