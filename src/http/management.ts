import type { RequestListener } from 'node:http';

/** Metrics for Prometheus, on a port that is never public. */
export function managementListener(metrics: {
  contentType: string;
  text(): Promise<string>;
}): RequestListener {
  return (req, res) => {
    if (req.url !== '/metrics') {
      res.writeHead(404, { 'Content-Type': 'text/plain' }).end('Only /metrics exists.\n');
      return;
    }
    metrics.text().then(
      (text) => res.writeHead(200, { 'Content-Type': metrics.contentType }).end(text),
      () => res.writeHead(500).end(),
    );
  };
}
