import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

export interface Answer<Body = Record<string, unknown>> {
  status: number;
  headers: Record<string, string>;
  body: Body;
}

export interface CallOptions {
  token?: string;
  body?: unknown;
  headers?: Record<string, string> | undefined;
}

/** Every answer that goes through this client is checked against the service's own OpenAPI document. */
export class Api {
  readonly #url: string;
  #document: Promise<OpenApiDocument> | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  start(sessionId: string, token: string, headers?: Record<string, string>): Promise<Answer> {
    return this.call('POST', `/api/v1/admin/sessions/${sessionId}/start-journey`, { token, headers });
  }

  update(token: string, body: unknown, headers?: Record<string, string>): Promise<Answer> {
    return this.call('POST', '/api/v1/admin/location-tracking/journey/updates', { token, body, headers });
  }

  live(sessionId: string, token: string, headers?: Record<string, string>): Promise<Answer> {
    const path = `/api/v1/admin/location-tracking/journey/live?sessionId=${encodeURIComponent(sessionId)}`;
    return this.call('GET', path, { token, headers });
  }

  arrived(sessionId: string, token: string, headers?: Record<string, string>): Promise<Answer> {
    return this.call('POST', `/api/v1/admin/sessions/${sessionId}/arrived`, { token, headers });
  }

  stop(sessionId: string, token: string, headers?: Record<string, string>): Promise<Answer> {
    return this.call('POST', `/api/v1/admin/sessions/${sessionId}/stop-journey`, { token, headers });
  }

  journeys(token: string, query: Record<string, string> = {}): Promise<Answer> {
    const path = `/api/v1/admin/location-tracking/journeys?${new URLSearchParams(query).toString()}`;
    return this.call('GET', path, { token });
  }

  journey(sessionId: string, token: string): Promise<Answer> {
    return this.call('GET', `/api/v1/admin/location-tracking/journeys/${sessionId}`, { token });
  }

  /** An object is sent as JSON, a string as it is. */
  async call(method: string, path: string, { token, body, headers }: CallOptions = {}): Promise<Answer> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const answer = {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: parsed(text),
    };
    await this.#check(method, path, answer);
    return answer;
  }

  async #check(method: string, path: string, answer: Answer): Promise<void> {
    this.#document ??= readDocument(this.#url);
    (await this.#document).check(method, path, answer);
  }
}

/** The code is "none" where the answer is a success. */
export function refusal(answer: Answer): { status: number; code: string; details: unknown } {
  const error = answer.body['error'] as { code: string; details?: unknown } | undefined;
  return { status: answer.status, code: error?.code ?? 'none', details: error?.details };
}

/** @throws Error with the answer where it is not a success */
export function data(answer: Answer): Record<string, unknown> {
  if (answer.body['success'] !== true) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body['data'] as Record<string, unknown>;
}

function parsed(text: string): Record<string, unknown> {
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

/** Shared by the services of a test file, because validators take long to compile. */
const documents = new Map<string, OpenApiDocument>();

async function readDocument(url: string): Promise<OpenApiDocument> {
  const text = await (await fetch(`${url}/openapi.json`)).text();
  let document = documents.get(text);
  if (document === undefined) {
    document = new OpenApiDocument(JSON.parse(text) as Document);
    documents.set(text, document);
  }
  return document;
}

/** What is wrong with the detail of an event by the OpenAPI document's webhook of its name; null: nothing. */
export async function problemsByOpenApi(
  serviceUrl: string,
  { detailType, detail }: { detailType: string; detail: object },
): Promise<string | null> {
  return (await readDocument(serviceUrl)).problemsOfEvent(detailType, detail);
}

interface Operation {
  requestBody?: { content: { 'application/json': { schema: object } } };
  responses: Record<
    string,
    {
      content?: { 'application/json'?: { schema: object } };
      headers?: Record<string, { required?: boolean }>;
    }
  >;
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  webhooks: Record<string, { post: Operation } | undefined>;
}

class OpenApiDocument {
  readonly #paths: [pattern: RegExp, operations: Record<string, Operation>][];
  readonly #validators = new Map<object, ValidateFunction>();
  readonly #ajv: Ajv2020;

  readonly #webhooks: Document['webhooks'];

  constructor(document: Document) {
    this.#webhooks = document.webhooks;
    this.#ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats.default(this.#ajv);
    this.#ajv.addSchema(document, 'openapi');
    this.#paths = Object.entries(document.paths).map(([path, operations]) => [
      new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`),
      operations,
    ]);
  }

  check(method: string, path: string, answer: Answer): void {
    const operations = this.#paths.find(([pattern]) => pattern.test(path.split('?')[0] ?? ''))?.[1];
    // A path that the document does not have is a 404.
    if (operations === undefined) return;
    const operation = operations[method.toLowerCase()] ?? Object.values(operations)[0];
    const response = operation?.responses[String(answer.status)];
    if (response === undefined)
      throw new Error(`OpenAPI does not know ${answer.status} of ${method} ${path}`);
    for (const [name, header] of Object.entries(response.headers ?? {})) {
      if (header.required === true && answer.headers[name.toLowerCase()] === undefined) {
        throw new Error(`OpenAPI promises the header ${name} with ${answer.status} of ${method} ${path}`);
      }
    }
    const schema = response.content?.['application/json']?.schema;
    if (schema === undefined || method === 'HEAD') return;
    const validate = this.#validator(schema);
    if (!validate(answer.body)) {
      throw new Error(
        `not as OpenAPI says: ${this.#ajv.errorsText(validate.errors)} in ${JSON.stringify(answer.body)}`,
      );
    }
  }

  problemsOfEvent(name: string, detail: object): string | null {
    const schema = this.#webhooks[name]?.post.requestBody?.content['application/json'].schema;
    if (schema === undefined) return `no webhook ${name}`;
    const validate = this.#validator(schema);
    return validate(detail) ? null : this.#ajv.errorsText(validate.errors);
  }

  #validator(schema: object): ValidateFunction {
    const known = this.#validators.get(schema);
    if (known !== undefined) return known;
    // The document's own references (#/components/...) are resolved against the document.
    const text = JSON.stringify(schema).replaceAll('"#/', '"openapi#/');
    const validate = this.#ajv.compile(JSON.parse(text) as object);
    this.#validators.set(schema, validate);
    return validate;
  }
}
