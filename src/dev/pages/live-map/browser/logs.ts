import type { MapEvent } from '../map-session.js';
import { element } from './fields.js';
import type { Call } from './phone-network.js';

const MOST_LINES = 60;

/** The HTTP calls of both phones with request and response, the newest first. */
export class CallLog {
  readonly #list = element('#calls');
  readonly #lines = new WeakMap<Call, HTMLLIElement>();

  show(call: Call): void {
    const line = this.#lines.get(call) ?? this.#add(call);
    const { status } = call;
    line.dataset['kind'] = kindOf(status);
    const result = status === null ? 'waiting' : status === 0 ? 'no answer' : String(status);
    const took = call.tookMs === null ? '' : `${Math.round(call.tookMs)} ms`;
    const [summary, body] = [line.querySelector('summary'), line.querySelector('pre')];
    summary?.replaceChildren(
      text('time', timeOfDay(call.startedAt)),
      text('who', call.phone),
      text('what', `${call.method} ${shortened(call.path)}`),
      text('result', result),
      text('took', took),
    );
    if (body)
      body.textContent = [`${call.method} ${call.path}`, call.sent, '', pretty(call.answer)]
        .filter((part) => part !== null)
        .join('\n');
  }

  #add(call: Call): HTMLLIElement {
    const line = document.createElement('li');
    line.dataset['phone'] = call.phone;
    const details = document.createElement('details');
    details.append(document.createElement('summary'), document.createElement('pre'));
    line.append(details);
    this.#lines.set(call, line);
    prepend(this.#list, line);
    return line;
  }
}

/** The events of the bus, the newest first. */
export class EventLog {
  readonly #list = element('#events');

  /** about: whose journey it is. */
  show({ receivedAt, detailType, detail }: MapEvent, about: string): void {
    const line = document.createElement('li');
    line.dataset['type'] = detailType;
    line.dataset['session'] = String(detail['sessionId']);
    const { reason = '', distanceMeters } = detail as { reason?: string; distanceMeters?: number };
    line.append(
      text('time', timeOfDay(new Date(receivedAt))),
      text('what', detailType),
      text('who', about),
      text('result', distanceMeters === undefined ? reason : `${distanceMeters} m`),
    );
    prepend(this.#list, line);
  }
}

function kindOf(status: number | null): 'waiting' | 'failed' | 'done' | 'refused' {
  if (status === null) return 'waiting';
  if (status === 0) return 'failed';
  return status < 400 ? 'done' : 'refused';
}

function prepend(list: HTMLElement, line: HTMLLIElement): void {
  list.prepend(line);
  while (list.children.length > MOST_LINES) list.lastElementChild?.remove();
}

function text(className: string, content: string): HTMLSpanElement {
  const span = document.createElement('span');
  span.className = className;
  span.textContent = content;
  return span;
}

function timeOfDay(time: Date): string {
  return time.toLocaleTimeString('en-GB');
}

/** With only the first part of UUIDs. */
function shortened(path: string): string {
  return path.replace(/([\da-f]{8})(-[\da-f]{4}){3}-([\da-f]{12})/g, '$1…');
}

function pretty(answer: string): string {
  try {
    return JSON.stringify(JSON.parse(answer), null, 2);
  } catch {
    return answer;
  }
}
