import type { DiagnosedJourney, FleetJourney, FleetPage } from '../../../../contract/fleet.js';

const BASE_PATH = '/api/v1/admin/location-tracking/journeys';
const PER_PAGE = 200;

/** The calls of an admin's app. */
export class FleetApi {
  readonly #url: string;
  readonly #headers: Record<string, string>;

  constructor({ serviceUrl, adminToken }: { serviceUrl: string; adminToken: string }) {
    this.#url = serviceUrl + BASE_PATH;
    this.#headers = { Authorization: `Bearer ${adminToken}` };
  }

  /** All active journeys, page by page. */
  async active(): Promise<FleetJourney[]> {
    const journeys: FleetJourney[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = new URLSearchParams({
        limit: String(PER_PAGE),
        ...(cursor && { cursor }),
      }).toString();
      const page: FleetPage | null = await this.#get(`?${query}`);
      journeys.push(...(page?.journeys ?? []));
      cursor = page?.nextCursor ?? null;
    }
    return journeys;
  }

  /** Null: no journey in the last 24 hours. */
  async journey(sessionId: string): Promise<DiagnosedJourney | null> {
    return this.#get(`/${sessionId}`);
  }

  async #get<Data>(path: string): Promise<Data | null> {
    const response = await fetch(this.#url + path, { headers: this.#headers });
    if (response.status === 404) return null;
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return ((await response.json()) as { data: Data }).data;
  }
}

/** Repeats while the page is visible, one call at a time; the returned function makes it now. */
export function repeat(everyMs: number, work: () => Promise<void>): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let round = 0;
  const run = async (own: number) => {
    clearTimeout(timer);
    // The runner's banner says that nothing answers.
    if (!document.hidden) await work().catch(() => undefined);
    if (own === round) timer = setTimeout(() => void run(own), everyMs);
  };
  return () => void run(++round);
}
