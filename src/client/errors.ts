// What can go wrong between this client and a Quati server.
import { QuatiError } from '../inference/errors.js';

export interface Problem {
  status: number;
  /** One of the server's problem codes, e.g. `undecodable_image`; `http_404` and the like from something else. */
  code: string;
  detail: string;
  requestId?: string | undefined;
}

/** The server refused the request with an RFC 9457 problem. */
export class ProblemError extends QuatiError {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly requestId: string | undefined;

  constructor({ status, code, detail, requestId }: Problem) {
    super(`${detail} (${code}, status ${status})`);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.requestId = requestId;
  }
}

/** No server listens at the URL, or its host can't be found. */
export class ServerUnreachableError extends QuatiError {}

/** The connection broke while a request was under way. */
export class ConnectionLostError extends QuatiError {}

/** No answer came within `timeoutMs`. */
export class TimeoutError extends QuatiError {}

/** Something answered, but not as a Quati server does. */
export class UnexpectedAnswerError extends QuatiError {}
