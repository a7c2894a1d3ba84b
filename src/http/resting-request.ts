import { ServerResponse, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { Request, Response } from 'express';
import type { HeldPoll } from '../live/waiting-caller.js';
import { givenId, newId, type WhenOver } from './middleware/request-context.js';

declare module 'node:net' {
  interface Socket {
    /** What rests on the connection, or is answered after it has; undefined where nothing ever did. */
    resting?: RestingRequest | null;
    /**
     * What rested on the connection and was answered: for the next to rest there. Put here by whenWritten alone: it tells
     * that the old request is over before another can come, which would be left with it otherwise.
     */
    rested?: RestingRequest | null;
    /** How many requests have come on the connection. */
    requests?: number;
  }
}

declare module 'express-serve-static-core' {
  interface Request {
    /** Which of its connection's requests it is, from 1. */
    nth: number;
  }
}

/** What all requests of an app have in common. */
export interface RestingDependencies {
  whenOver: WhenOver;
  /** Express' own, with the settings of the app. */
  requestPrototype: object;
}

const NO_HEADERS = {};

/**
 * A request whose answer comes much later. While it rests, Node has neither a request nor a response of it, and takes its
 * connection for an idle one. What is held for seconds is copied twice and collected only together with the whole heap,
 * for which V8 stops the process again and again: with 20,000 that wait it was twice instead of three times in two minutes,
 * and the 99th percentile of updates 85 instead of 298 ms in the same run.
 *
 * One serves those that rest on a connection one after the other, for the same reason: of 29 MB that grew old in half a
 * minute with 11,000 that wait, those of their own were 5.5, and the ids that they were given at once 4.
 */
export abstract class RestingRequest {
  /** Null while it rests, and once it is answered: what is old and holds something new keeps it. */
  #req: Request | null = null;
  #res: ServerResponse | null = null;
  #isAnswered = false;
  #poll: HeldPoll | null = null;
  readonly #socket: Socket;
  #method = '';
  /** Undefined: it is given one when it is answered; nobody has been told of another. */
  #givenId: string | undefined;
  #routeLabel = '';
  /** By performance.now(), in whole milliseconds. */
  #startedAtMs = 0;
  #forwardedFor: string | string[] | undefined;
  readonly #with: RestingDependencies;
  #keepsAlive = true;
  #headers: OutgoingHttpHeaders | null = null;

  protected constructor(socket: Socket, dependencies: RestingDependencies) {
    this.#socket = socket;
    this.#with = dependencies;
  }

  /** Each request of its connection anew. */
  protected begin(req: Request, res: Response): void {
    this.#req = req;
    this.#res = res;
    this.#isAnswered = false;
    this.#method = req.method;
    this.#givenId = givenId(req);
    this.#routeLabel = req.routeLabel;
    this.#startedAtMs = Math.round(req.startedAtMs);
    this.#forwardedFor = req.headers['x-forwarded-for'];
    this.#keepsAlive = true;
    this.#headers = null;
  }

  get poll(): HeldPoll | null {
    return this.#poll;
  }

  /** Told when the caller has gone. */
  whenGone(poll: HeldPoll): void {
    const { req, res } = this.atWork;
    this.#poll = poll;
    if (res.closed) poll.leave();
    else req.held = poll;
  }

  /** Only while it does not rest and is not answered. */
  protected get atWork(): { req: Request; res: ServerResponse } {
    if (this.#req === null || this.#res === null) throw new Error('the request rests, or is answered');
    return { req: this.#req, res: this.#res };
  }

  rest(): void {
    const { req, res } = this.atWork;
    const socket = this.#socket;
    // Others are before or after it on the connection: Node keeps their answers in order.
    if (res.socket === null || socket.requests !== req.nth) return;
    this.#req = null;
    this.#res = null;
    this.#keepsAlive = res.shouldKeepAlive;
    res.off('close', this.#with.whenOver);
    if (socket.resting === this) {
      res.detachSocket(socket);
      return;
    }
    if (res.getHeaderNames().length > 0) this.#headers = res.getHeaders();
    // As if it were answered: Node's own listener lets go of both, see resOnFinish in its http server.
    res.emit('finish');
    if (socket.resting === undefined) socket.on('close', whenClosed);
    socket.resting = this;
  }

  resume(): void {
    if (!this.#isResting) return;
    const res = this.#wakeUp();
    res.assignSocket(this.#socket);
    res.on('finish', whenWritten);
  }

  /** By itself, or by its route where it was not held. */
  answered(): void {
    this.#req = null;
    this.#res = null;
    this.#isAnswered = true;
  }

  /** The connection was closed. */
  left(): void {
    if (this.#isResting) this.#wakeUp().destroy().emit('close');
  }

  /** by: the answer to the next request on its connection. */
  overtaken(by: ServerResponse): void {
    this.#keepsAlive = false;
    if (this.#isResting) by.detachSocket(this.#socket);
    else if (this.#res !== null) this.#res.shouldKeepAlive = false;
    this.#poll?.leave();
  }

  /** Whether another request may follow on its connection. */
  get keepsAlive(): boolean {
    return this.#keepsAlive;
  }

  get #isResting(): boolean {
    return this.#res === null && !this.#isAnswered;
  }

  #wakeUp(): ServerResponse {
    // What its answer, the metrics and the log ask for.
    const req = {
      __proto__: this.#with.requestPrototype,
      method: this.#method,
      httpVersionMajor: 1,
      httpVersionMinor: 1,
      headers: this.#forwardedFor === undefined ? NO_HEADERS : { 'x-forwarded-for': this.#forwardedFor },
      socket: this.#socket,
      requestId: this.#givenId ?? newId(),
      startedAtMs: this.#startedAtMs,
      routeLabel: this.#routeLabel,
      nth: this.#socket.requests,
      held: this.#poll ?? undefined,
    } as unknown as Request;
    const res = new ServerResponse(req);
    res.shouldKeepAlive = this.#keepsAlive;
    for (const name in this.#headers) res.setHeader(name, this.#headers[name] ?? '');
    res.once('close', this.#with.whenOver);
    this.#req = req;
    this.#res = res;
    return res;
  }
}

/**
 * False: the request is dropped, which tells its caller to send it again on another connection, because it has come on that
 * of one that rests or is just being answered. That one is answered at once, as the last on the connection.
 */
export function isInTurn(req: IncomingMessage & { nth?: number }, res: ServerResponse): boolean {
  const { socket } = req;
  const nth = (socket.requests ?? 0) + 1;
  socket.requests = nth;
  req.nth = nth;
  if (socket.resting === undefined || socket.resting === null) return true;
  socket.resting.overtaken(res);
  return false;
}

function whenWritten(this: ServerResponse): void {
  const { socket } = this.req;
  const isLast = !this.shouldKeepAlive || socket.resting?.keepsAlive === false;
  this.detachSocket(socket);
  // What is still read from a connection that is being closed is not in turn.
  if (!isLast) {
    socket.rested = socket.resting ?? null;
    socket.resting = null;
  }
  this.emit('close');
  if (isLast) socket.destroySoon();
}

function whenClosed(this: Socket): void {
  this.resting?.left();
}
