import { readFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import { aJourney } from '../support/a-journey.js';
import { metersNorth } from '../support/a-session.js';
import { runService } from '../support/running-service.js';

/** Labels that Prometheus adds to each series. */
const LABELS_OF_PROMETHEUS = ['instance', 'job'];

const dashboard = JSON.parse(readFileSync('docker/observe/dashboard.json', 'utf8')) as {
  panels: { title: string; targets: { expr: string }[] }[];
};
const queries = dashboard.panels.flatMap(({ title, targets }) =>
  targets.map(({ expr }) => ({ title, expr: expr.replaceAll('$__rate_interval', '1m') })),
);

/** Parses with the grammar of Prometheus' editor. */
function namesIn(expr: string): { metrics: string[]; labels: string[]; errors: number } {
  const names = { metrics: [] as string[], labels: [] as string[], errors: 0 };
  parser.parse(expr).iterate({
    enter: ({ name, type, from, to, node }) => {
      const text = expr.slice(from, to);
      if (type.isError) names.errors += 1;
      if (name === 'Identifier' && node.parent?.name === 'VectorSelector') names.metrics.push(text);
      if (name === 'LabelName') names.labels.push(text);
    },
  });
  return names;
}

let metricsText: string;
beforeAll(async () => {
  const service = await runService();
  const { sessionId, trainerToken, studentToken } = await aJourney(service.api);
  await service.api.update(trainerToken, { sessionId, ...metersNorth(900), accuracy: 5 });
  await service.api.live(sessionId, studentToken);
  await service.api.stop(sessionId, trainerToken);
  metricsText = await (await fetch(service.metricsUrl)).text();
  await service.stop();
});

test('every query of the dashboard is valid PromQL, with metrics and labels that the service has', () => {
  expect(queries.length).toBeGreaterThan(10);
  const series = new Set(metricsText.match(/^[a-z]\w*/gm));
  const labels = new Set([...metricsText.matchAll(/[{,](\w+)="/g)].map(([, name]) => name));
  LABELS_OF_PROMETHEUS.forEach((name) => labels.add(name));
  for (const { title, expr } of queries) {
    const { metrics, labels: used, errors } = namesIn(expr);
    const unknown = [
      ...metrics.filter((name) => !series.has(name)),
      ...used.filter((name) => !labels.has(name)),
    ];
    expect({ title, errors, unknown }).toEqual({ title, errors: 0, unknown: [] });
  }
});

test('every metric of the service is on the dashboard, except those of Node.js', () => {
  const shown = new Set(queries.flatMap(({ expr }) => namesIn(expr).metrics));
  const own = [...metricsText.matchAll(/^# TYPE (\w+) (\w+)$/gm)].filter(
    ([, name]) => !/^(nodejs|process)_/.test(name ?? ''),
  );
  expect(own.length).toBeGreaterThan(10);
  const missing = own.filter(
    ([, name = '']) => !['', '_bucket', '_count'].some((end) => shown.has(name + end)),
  );
  expect(missing.map(([, name]) => name)).toEqual([]);
});
