import type { MapEvent } from '../map-session.js';
import { element, make } from './elements.js';
import type { Call } from './phone-network.js';
import { distance, timeOfDay } from './wording.js';

const MOST_LINES = 60;

/** The HTTP calls of both phones with request and response, the newest first. */
export class CallLog {
  readonly #list = element('#calls');
  readonly #lines = new Map<Call, HTMLLIElement>();

  show(call: Call): void {
    const line = this.#lines.get(call) ?? this.#add(call);
    const { status, code } = call;
    line.dataset['kind'] = kindOf(status);
    const result = status === null ? 'waiting' : status === 0 ? 'no answer' : `${status} ${code}`;
    const took = call.tookMs === null ? '' : `${Math.round(call.tookMs)} ms`;
    element('summary', line).replaceChildren(
      make('span', 'time', timeOfDay(call.startedAt)),
      make('span', 'who', call.phone),
      make('span', 'what', `${call.method} ${call.path}`),
      make('span', 'result', result),
      make('span', 'took', took),
    );
    element('pre', line).textContent = [`${call.method} ${call.path}`, call.sent, '', pretty(call.answer)]
      .filter((part) => part !== null)
      .join('\n');
  }

  /** The newest first. */
  about(sessionId: string): Call[] {
    const isAbout = ({ path, sent }: Call) => `${path} ${sent}`.includes(sessionId);
    return [...this.#lines.keys()].filter(isAbout).reverse();
  }

  #add(call: Call): HTMLLIElement {
    const line = make('li', '', make('details', '', make('summary'), make('pre')));
    line.dataset['phone'] = call.phone;
    this.#lines.set(call, line);
    this.#list.prepend(line);
    for (const [oldest, its] of this.#lines) {
      if (this.#lines.size <= MOST_LINES) break;
      this.#lines.delete(oldest);
      its.remove();
    }
    return line;
  }
}

/** The events of the bus, the newest first. */
export class EventLog {
  readonly #list = element('#events');

  /** about: whose journey it is. */
  show({ receivedAt, detailType, detail }: MapEvent, about: string): void {
    const { reason = '', distanceMeters } = detail as { reason?: string; distanceMeters?: number };
    const line = make(
      'li',
      '',
      make('span', 'time', timeOfDay(receivedAt)),
      make('span', 'what', detailType),
      make('span', 'who', about),
      make('span', 'result', distanceMeters === undefined ? reason : distance(distanceMeters)),
    );
    line.dataset['type'] = detailType;
    line.dataset['session'] = String(detail['sessionId']);
    this.#list.prepend(line);
    while (this.#list.children.length > MOST_LINES) this.#list.lastElementChild?.remove();
  }
}

function kindOf(status: number | null): 'waiting' | 'failed' | 'done' | 'refused' {
  if (status === null) return 'waiting';
  if (status === 0) return 'failed';
  return status < 400 ? 'done' : 'refused';
}

function pretty(answer: string): string {
  try {
    return JSON.stringify(JSON.parse(answer), null, 2);
  } catch {
    return answer;
  }
}
