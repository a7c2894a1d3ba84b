import { Stack, type App } from 'aws-cdk-lib';
import type { StageSettings } from '../settings/stage-settings.js';
import { Alarms } from './alarms.js';
import { CanaryTask } from './canary-task.js';
import { Dashboard } from './dashboard.js';
import { DatabaseAccess } from './database-access.js';
import { Events } from './events.js';
import { Firewall } from './firewall.js';
import { LoadBalancer } from './load-balancer.js';
import { Network } from './network.js';
import { OperatorTask } from './operator-task.js';
import { Redis } from './redis.js';
import { Service } from './service.js';
import { tokenKeys } from './token-keys.js';

/** One stage. Resource names such as application-events are fixed, so each stage needs its own account or region. */
export class AdminServiceStack extends Stack {
  constructor(app: App, id: string, settings: StageSettings) {
    super(app, id, {
      description: 'admin-service: student-trainer journeys and live location',
      // No account, so synth needs no AWS access. The load balancer's access log needs the region.
      env: { region: settings.region },
      terminationProtection: settings.isProtected,
    });
    const network = new Network(this, 'Network', settings);
    const balancer = new LoadBalancer(this, 'LoadBalancer', { settings, network });
    const firewall = settings.firewall.isEnabled
      ? new Firewall(this, 'Firewall', { settings: settings.firewall, balancer: balancer.balancer })
      : undefined;
    const service = new Service(this, 'Service', { settings, network, balancer });
    const { domain, canary } = settings;
    const canaryTask = canary && new CanaryTask(this, 'Canary', { domain, canary, network, service });
    new OperatorTask(this, 'Operator', { network, service });
    const { variables, secrets } = tokenKeys(service, settings);
    service.configure({ AWS_REGION: this.region, LOG_LEVEL: settings.logLevel, ...variables }, secrets);
    const redis = new Redis(this, 'Redis', { settings, network, service });
    new DatabaseAccess(this, 'DatabaseAccess', { settings, network, service });
    const events = new Events(this, 'Events', { settings, service });
    const watched = { balancer, service, redis, events, firewall, canary: canaryTask };
    new Alarms(this, 'Alarms', { settings, ...watched });
    new Dashboard(this, 'Dashboard', watched);
  }
}
