// The errors of a request from this client to a Quati server.
import { QuatiError } from '../inference/errors.js';

export interface Problem {
  status: number;
  /** A problem code of the server, e.g. `undecodable_image`; `http_<status>` if another program responds. */
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

/** No server listens at the URL, or its host cannot be found. */
export class ServerUnreachableError extends QuatiError {}

/** The connection broke while a request was in progress. */
export class ConnectionLostError extends QuatiError {}

/** No response arrived within `timeoutMs`. */
export class TimeoutError extends QuatiError {}

/** The response does not follow the contract of a Quati server. */
export class UnexpectedAnswerError extends QuatiError {}
