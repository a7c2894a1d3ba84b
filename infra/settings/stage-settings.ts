import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { z } from 'zod';
import { blocksOverlap } from './address-blocks.js';
import { integer, text } from './fields.js';
import { redisOf, redisProblems, type RedisTogether } from './redis-settings.js';

export const stageNames = ['dev', 'prod', 'cluster'] as const;
export type StageName = (typeof stageNames)[number];

const production = {
  natGateways: 2,
  maxTasks: 20,
  redisNodeType: 'cache.m7g.large',
  shards: 1,
  snapshotDays: 7,
  logDays: RetentionDays.THREE_MONTHS,
  archiveDays: 30,
  isProtected: true,
  mustPage: true,
} as const;

/** Defaults that differ between the stages; cluster is prod for more journeys than one Redis can serve. */
const stageDefaults = {
  dev: {
    natGateways: 1,
    maxTasks: 4,
    redisNodeType: 'cache.t4g.small',
    shards: 1,
    snapshotDays: 1,
    logDays: RetentionDays.TWO_WEEKS,
    archiveDays: 7,
    isProtected: false,
    mustPage: false,
  },
  prod: production,
  cluster: { ...production, maxTasks: 100, shards: 4 },
} as const;

/** Detail types of the service's events. */
export const eventTypes = [
  'TrainerJourneyStarted',
  'TrainerJourneyEnded',
  'TrainerNearby',
  'TrainerLocationStale',
] as const;

const origin = text(
  /^[a-z][a-z\d+.-]*:\/\/(\*(\.[\w-]+){2,}|[\w.-]+)(:\d+)?$/,
  'must be an origin such as https://app.example.org, https://*.example.org or capacitor://localhost',
);

const secretArn = (message: string) =>
  text(/^arn:aws[\w-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-\w{6}$/, message);

const Database = z.strictObject(
  {
    secretArn: secretArn(
      'must be the complete ARN of a secret, including the six-character suffix; the secret has the fields host, dbname, username and password',
    ),
    securityGroupId: text(/^sg-[0-9a-f]{8,17}$/, "must be the id of the database's security group, sg-…"),
    vpcId: text(/^vpc-[0-9a-f]{8,17}$/, "must be the id of the database's VPC, vpc-…"),
    vpcCidr: text(
      /^(\d{1,3}\.){3}\d{1,3}\/\d{1,2}$/,
      "must be the CIDR block of the database's VPC, such as 10.0.0.0/16",
    ),
    routeTableIds: z
      .array(text(/^rtb-[0-9a-f]{8,17}$/, 'must be the id of a route table, rtb-…'), {
        error: 'must be the route tables of the database\'s subnets: ["rtb-…"]',
      })
      .min(1, 'must name at least one route table, rtb-…'),
    port: integer(1, 65_535).default(5432),
  },
  { error: 'must be an object with secretArn, securityGroupId, vpcId, vpcCidr and routeTableIds' },
);

const Tokens = z.strictObject({
  /** Without it, tokens are verified with a shared secret created by the stack. */
  jwksUrl: z.url({ protocol: /^https$/, error: 'must be an https URL of a key set' }).optional(),
  issuer: z.string().min(1, 'must not be empty').optional(),
  audience: z.string().min(1, 'must not be empty').optional(),
  /** During a rotation: tokens signed with the secret's field `next` are accepted too. */
  rotating: z.boolean({ error: 'must be true or false' }).default(false),
});

type StageDefaults = (typeof stageDefaults)[StageName];

const Image = z.strictObject({
  repository: text(/^[a-z0-9][a-z0-9._/-]*$/, 'must be the name of a repository in the registry'),
  tag: text(/^[\w][\w.-]{0,127}$/, 'must be the tag of an image'),
});

const networkOf = (defaults: StageDefaults) =>
  z
    .strictObject({
      cidr: text(/^(\d{1,3}\.){2}0\.0\/16$/, 'must be a /16 block, such as 10.42.0.0/16').default(
        '10.42.0.0/16',
      ),
      natGateways: integer(1, 2).default(defaults.natGateways),
    })
    .prefault({});

const tasksOf = (defaults: StageDefaults) =>
  z
    .strictObject({
      min: integer(2, 500).default(2),
      max: integer(2, 500).default(defaults.maxTasks),
    })
    .prefault({});

/** Requests in five minutes. By default as many as 10,000 phones behind one address of a carrier send, and ten a second. */
const firewallOf = (stage: StageName) =>
  z
    .strictObject({
      // It costs by the request: in a large stage several times the rest.
      isEnabled: z.boolean({ error: 'must be true or false' }).default(stage !== 'cluster'),
      requestsPerAddress: integer(1_000, 100_000_000).default(600_000),
      requestsPerToken: integer(300, 1_000_000).default(3_000),
    })
    .prefault({});

const Canary = z.strictObject({
  /** A session of the canary alone, with the status scheduled. */
  sessionId: text(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/, 'must be the id of a session, in lower case'),
  /** Fields trainer and student: tokens of the session's users. */
  tokensSecretArn: secretArn(
    'must be the complete ARN of a secret, including the six-character suffix; the secret has the fields trainer and student',
  ),
});

const Recipient = z.union([z.email(), z.url({ protocol: /^https$/ })], {
  error: 'must be an e-mail address, or the https URL of a pager such as PagerDuty',
});

const schemaOf = (stage: StageName) => {
  const defaults = stageDefaults[stage];
  return z
    .strictObject({
      domain: text(
        /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/,
        'must be the host name used by the apps, such as journeys.example.org, without https://',
      ),
      certificateArn: text(
        /^arn:aws[\w-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/,
        'must be the ARN of a Certificate Manager certificate for the domain, arn:aws:acm:…',
      ),
      database: Database,
      /** With it the stack creates the DNS record; without it, add a CNAME to the output LoadBalancerName. */
      hostedZoneId: text(/^Z[A-Z0-9]{5,31}$/, 'must be the id of a hosted zone, Z…').optional(),
      region: text(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be a region such as us-east-1').default('us-east-1'),
      network: networkOf(defaults),
      /** An image in the account's registry. Without it, the image is built from this checkout. */
      image: Image.optional(),
      tasks: tasksOf(defaults),
      redis: redisOf(defaults),
      tokens: Tokens.prefault({}),
      firewall: firewallOf(stage),
      /** Without it there is no canary. It can be added after the first deployment, when tokens can be issued. */
      canary: Canary.optional(),
      corsOrigins: z.array(origin).default([]),
      logLevel: z
        .enum(['error', 'warn', 'info', 'debug'], { error: 'must be error, warn, info or debug' })
        .default('info'),
      /** Events delivered to notification-service-queue; the topic gets all of them. */
      notifiedEvents: z
        .array(z.enum(eventTypes, { error: `must be one of ${eventTypes.join(', ')}` }))
        .min(1, 'must name at least one event')
        .default(['TrainerJourneyStarted', 'TrainerJourneyEnded']),
      /** Who is paged: users are hurt, or will be soon. */
      pageTo: z.array(Recipient).default([]),
      /** Who gets what can wait until the morning. */
      ticketTo: z.array(Recipient).default([]),
      logDays: z
        .enum(RetentionDays, {
          error:
            'must be a retention that CloudWatch Logs supports: 1, 3, 5, 7, 14, 30, 60, 90, 180, 365, … days',
        })
        .default(defaults.logDays),
      archiveDays: integer(1, 3_650).default(defaults.archiveDays),
      /** Protects the stack and its data against deletion by mistake. */
      isProtected: z.boolean({ error: 'must be true or false' }).default(defaults.isProtected),
    })
    .superRefine(checkTogether)
    .refine(({ pageTo }) => !defaults.mustPage || pageTo.length > 0, {
      path: ['pageTo'],
      error: `must name at least one e-mail address or https URL: without it nobody learns that ${stage} is down`,
    });
};

const NO_STAGES = 'must be an object of stages: { "dev": { … }, "prod": { … } }';
export const Stages = z
  .strictObject(
    {
      dev: schemaOf('dev').optional(),
      prod: schemaOf('prod').optional(),
      cluster: schemaOf('cluster').optional(),
    },
    { error: NO_STAGES },
  )
  .refine((stages) => Object.keys(stages).length > 0, NO_STAGES);

export type StageSettings = z.output<ReturnType<typeof schemaOf>>;

interface CheckedTogether {
  region: string;
  certificateArn: string;
  database: { secretArn: string; vpcCidr: string };
  network: { cidr: string };
  tasks: { min: number; max: number };
  redis: RedisTogether;
  tokens: { jwksUrl?: string | undefined; rotating: boolean };
  canary?: { tokensSecretArn: string } | undefined;
}

/** Rejects settings that are valid on their own but contradict each other. */
function checkTogether(settings: CheckedTogether, context: z.RefinementCtx): void {
  const refuse = (path: string[], message: string) => {
    context.addIssue({ code: 'custom', path, message });
  };
  const { region, certificateArn, database, network, tasks, redis, tokens, canary } = settings;
  if (regionOf(certificateArn) !== region)
    refuse(['certificateArn'], `must be in the stage's region, ${region}`);
  if (regionOf(database.secretArn) !== region)
    refuse(['database', 'secretArn'], `must be in the stage's region, ${region}`);
  if (canary && regionOf(canary.tokensSecretArn) !== region)
    refuse(['canary', 'tokensSecretArn'], `must be in the stage's region, ${region}`);
  if (blocksOverlap(network.cidr, database.vpcCidr))
    refuse(
      ['network', 'cidr'],
      `must not overlap the database's block, ${database.vpcCidr}: the two VPCs are peered`,
    );
  if (tasks.max < tasks.min) refuse(['tasks', 'max'], `must be at least tasks.min, ${tasks.min}`);
  for (const [name, message] of redisProblems(redis)) refuse(['redis', name], message);
  if (tokens.rotating && tokens.jwksUrl !== undefined)
    refuse(
      ['tokens', 'rotating'],
      'must be false when tokens.jwksUrl is set: a key set rotates its own keys',
    );
}

function regionOf(arn: string): string {
  return arn.split(':')[3] ?? '';
}
