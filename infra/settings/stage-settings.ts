import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { z } from 'zod';
import { blocksOverlap } from './address-blocks.js';

export const stageNames = ['dev', 'prod'] as const;
export type StageName = (typeof stageNames)[number];

/** What a stage has where its settings don't say otherwise, and the other stage has not. */
const standards = {
  dev: {
    natGateways: 1,
    maxTasks: 4,
    redisNodeType: 'cache.t4g.small',
    snapshotDays: 1,
    logDays: RetentionDays.TWO_WEEKS,
    archiveDays: 7,
    isProtected: false,
  },
  prod: {
    natGateways: 2,
    maxTasks: 20,
    redisNodeType: 'cache.m7g.large',
    snapshotDays: 7,
    logDays: RetentionDays.THREE_MONTHS,
    archiveDays: 30,
    isProtected: true,
  },
} as const;

/** The detail-types of the service's events. */
export const eventTypes = [
  'TrainerJourneyStarted',
  'TrainerJourneyEnded',
  'TrainerNearby',
  'TrainerLocationStale',
] as const;

const text = (pattern: RegExp, message: string) => z.string({ error: message }).regex(pattern, message);
const whole = (from: number, to: number) => {
  const message = `must be a whole number from ${from} to ${to}`;
  return z.int({ error: message }).min(from, message).max(to, message);
};
const origin = z.string().refine((value) => URL.canParse(value) && new URL(value).origin === value, {
  error: 'must be an origin such as https://app.example.org',
});

const Database = z.strictObject(
  {
    secretArn: text(
      /^arn:aws[\w-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-\w{6}$/,
      'must be the whole ARN of a secret, with the six letters at its end; the secret has the fields host, dbname, username and password',
    ),
    securityGroupId: text(/^sg-[0-9a-f]{8,17}$/, "must be the id of the database's security group, sg-…"),
    vpcId: text(/^vpc-[0-9a-f]{8,17}$/, 'must be the id of the network that the database is in, vpc-…'),
    vpcCidr: text(/^(\d{1,3}\.){3}\d{1,3}\/\d{1,2}$/, "must be that network's block, such as 10.0.0.0/16"),
    routeTableIds: z
      .array(text(/^rtb-[0-9a-f]{8,17}$/, 'must be the id of a route table, rtb-…'), {
        error: 'must be the route tables of the database\'s subnets: ["rtb-…"]',
      })
      .min(1, 'must name at least one route table, rtb-…'),
    port: whole(1, 65_535).default(5432),
  },
  { error: 'must be an object with secretArn, securityGroupId, vpcId, vpcCidr and routeTableIds' },
);

const Tokens = z.strictObject({
  /** Without it tokens are checked by a shared secret, which the stack makes. */
  jwksUrl: z.url({ protocol: /^https$/, error: 'must be an https URL of a key set' }).optional(),
  issuer: z.string().min(1, 'must not be empty').optional(),
  audience: z.string().min(1, 'must not be empty').optional(),
  /** While the shared secret is replaced: tokens by its field `next` are taken as well. */
  rotating: z.boolean({ error: 'must be true or false' }).default(false),
});

type Standard = (typeof standards)[StageName];

const Image = z.strictObject({
  repository: text(/^[a-z0-9][a-z0-9._/-]*$/, 'must be the name of a repository in the registry'),
  tag: text(/^[\w][\w.-]{0,127}$/, 'must be the tag of an image'),
});

const networkOf = (standard: Standard) =>
  z
    .strictObject({
      cidr: text(/^(\d{1,3}\.){2}0\.0\/16$/, 'must be a block of size 16, such as 10.42.0.0/16').default(
        '10.42.0.0/16',
      ),
      natGateways: whole(1, 2).default(standard.natGateways),
    })
    .prefault({});

const tasksOf = (standard: Standard) =>
  z
    .strictObject({
      min: whole(2, 500).default(2),
      max: whole(2, 500).default(standard.maxTasks),
      /** Of each kind, calls and polls, that a task takes a minute before another one is started. */
      requestsPerMinute: whole(1_000, 1_000_000).default(200_000),
    })
    .prefault({});

const redisOf = (standard: Standard) =>
  z
    .strictObject({
      engine: z.enum(['redis', 'valkey'], { error: 'must be redis or valkey' }).default('redis'),
      version: text(/^\d\.\d$/, 'must be a version such as 7.1').default('7.1'),
      nodeType: text(/^cache\.[a-z0-9]+\.[a-z0-9]+$/, 'must be a node type such as cache.m7g.large').default(
        standard.redisNodeType,
      ),
      replicas: whole(1, 5).default(1),
      snapshotDays: whole(1, 35).default(standard.snapshotDays),
      /** A copy to begin with. Another one, or none again, is another Redis: the one before is copied and deleted. */
      restoreFrom: text(/^[a-z][\w:.-]{0,254}$/i, 'must be the name of a copy (snapshot)').optional(),
    })
    .prefault({});

const schemaOf = (stage: StageName) => {
  const standard = standards[stage];
  return z
    .strictObject({
      domain: text(
        /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/,
        'must be the host name that the apps call, such as journeys.example.org, without https://',
      ),
      certificateArn: text(
        /^arn:aws[\w-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/,
        'must be the ARN of a certificate for the domain in Certificate Manager, arn:aws:acm:…',
      ),
      database: Database,
      /** With it the name is entered there; without it, point the name at the output LoadBalancerName. */
      hostedZoneId: text(/^Z[A-Z0-9]{5,31}$/, 'must be the id of a hosted zone, Z…').optional(),
      region: text(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be a region such as us-east-1').default('us-east-1'),
      network: networkOf(standard),
      /** Built from this checkout where it is not named; else an image in the account's registry. */
      image: Image.optional(),
      tasks: tasksOf(standard),
      redis: redisOf(standard),
      tokens: Tokens.prefault({}),
      corsOrigins: z.array(origin).default([]),
      logLevel: z
        .enum(['error', 'warn', 'info', 'debug'], { error: 'must be error, warn, info or debug' })
        .default('info'),
      /** What notification-service-queue gets; the topic has all of them. */
      notifiedEvents: z
        .array(z.enum(eventTypes, { error: `must be of ${eventTypes.join(', ')}` }))
        .min(1, 'must name at least one event')
        .default(['TrainerJourneyStarted', 'TrainerJourneyEnded']),
      alarmEmails: z.array(z.email('must be an e-mail address')).default([]),
      logDays: z
        .enum(RetentionDays, {
          error:
            'must be a number of days that CloudWatch Logs knows: 1, 3, 5, 7, 14, 30, 60, 90, 180, 365, …',
        })
        .default(standard.logDays),
      archiveDays: whole(1, 3_650).default(standard.archiveDays),
      /** Neither the stack nor what holds data in it can be deleted by mistake. */
      isProtected: z.boolean({ error: 'must be true or false' }).default(standard.isProtected),
    })
    .superRefine(refuseContradictions);
};

const NO_STAGES = 'must be an object of stages: { "dev": { … }, "prod": { … } }';
export const Stages = z
  .strictObject({ dev: schemaOf('dev').optional(), prod: schemaOf('prod').optional() }, { error: NO_STAGES })
  .refine((stages) => Object.keys(stages).length > 0, NO_STAGES);

export type StageSettings = z.output<ReturnType<typeof schemaOf>>;

interface Contradictable {
  region: string;
  certificateArn: string;
  database: { secretArn: string; vpcCidr: string };
  network: { cidr: string };
  tasks: { min: number; max: number };
  tokens: { jwksUrl?: string | undefined; rotating: boolean };
}

/** What is right by itself and wrong together. */
function refuseContradictions(settings: Contradictable, context: z.RefinementCtx): void {
  const refuse = (path: string[], message: string) => {
    context.addIssue({ code: 'custom', path, message });
  };
  const { region, certificateArn, database, network, tasks, tokens } = settings;
  if (regionOf(certificateArn) !== region)
    refuse(['certificateArn'], `must be in the stage's region, ${region}: a load balancer takes no other`);
  if (regionOf(database.secretArn) !== region)
    refuse(['database', 'secretArn'], `must be in the stage's region, ${region}`);
  if (blocksOverlap(network.cidr, database.vpcCidr))
    refuse(
      ['network', 'cidr'],
      `must not overlap the database's block, ${database.vpcCidr}: the two are connected`,
    );
  if (tasks.max < tasks.min) refuse(['tasks', 'max'], `must be at least tasks.min, ${tasks.min}`);
  if (tokens.rotating && tokens.jwksUrl !== undefined)
    refuse(
      ['tokens', 'rotating'],
      'must be false where tokens.jwksUrl is set: keys of a key set are replaced there',
    );
}

function regionOf(arn: string): string {
  return arn.split(':')[3] ?? '';
}
