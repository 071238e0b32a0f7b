import { STATUS_CODES } from 'node:http';
import path from 'node:path';
import type { Dispatcher } from 'undici';

/** A server that asks for more than this is not waited for. */
const LONGEST_ASKED_MS = 10 * 60_000;
/** Statuses that may pass, besides 5xx: request timeout, too early, too many requests. */
const PASSING = [408, 425, 429];

/** One request failed. The message is part of a sentence: what the server did. */
export class TryFailure extends Error {
  /** Whether the address is of no use to this command. */
  readonly isLasting: boolean = false;
  /** Whether there was no answer at all. */
  readonly isUnreachable: boolean = false;
  /** Whether not even a connection was made, as without internet. */
  readonly isUnconnected: boolean = false;
  /** How long the server asks to wait. */
  readonly waitMs: number = 0;

  constructor(message: string, known: Partial<Omit<TryFailure, keyof Error>> = {}) {
    super(message);
    Object.assign(this, known);
  }
}

/** A header field; empty if it is absent. */
export function headerOf(headers: Dispatcher.ResponseData['headers'], name: string): string {
  return String(headers[name] ?? '').trim();
}

/** What a status other than success means for further tries. */
export function explainStatus(status: number, headers: Dispatcher.ResponseData['headers']): TryFailure {
  // 202 is how some servers keep programs out: a browser would run the script in the answer and ask again.
  const instead = status < 300 ? ' instead of the file: it may serve browsers only' : '';
  const text = `the server answered ${status} ${STATUS_CODES[status] ?? ''}`.trim() + instead;
  const retryAfter = headerOf(headers, 'retry-after');
  // Seconds, or a date.
  const asked = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
  // Some servers answer 403 to clients that ask too often.
  const isPassing = status >= 500 || PASSING.includes(status) || !Number.isNaN(asked);
  if (!isPassing) return new TryFailure(text, { isLasting: true });
  if (asked > LONGEST_ASKED_MS) {
    return new TryFailure(`${text} and asks to wait ${Math.ceil(asked / 60_000)} minutes`, {
      isLasting: true,
    });
  }
  return new TryFailure(text, { waitMs: asked || 0 });
}

/** Pages with status 200 are recognised by this, whatever their type is said to be, before gigabytes are waited for. */
const BEGINNINGS: Readonly<Record<string, readonly number[]>> = { '.zip': [0x50, 0x4b], '.gz': [0x1f, 0x8b] };

/** @throws {TryFailure} if a file with such a name does not begin like this */
export function checkBeginning(name: string, chunk: Uint8Array): void {
  const kind = path.extname(name);
  if ((BEGINNINGS[kind] ?? []).every((byte, i) => (chunk[i] ?? byte) === byte)) return;
  const [start = ''] = /[ -~]+/.exec(new TextDecoder().decode(chunk.subarray(0, 60))) ?? [];
  throw new TryFailure(`the server sends no ${kind} file, but something that begins with "${start.trim()}"`, {
    isLasting: true,
  });
}

/** The name is not known, or no connection can be made. */
const UNCONNECTED = ['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH'];

/** What went wrong, by the code of Node or undici; other errors say it themselves. */
const explanations: Readonly<Record<string, string>> = {
  UND_ERR_HEADERS_TIMEOUT: 'the server did not answer in time',
  UND_ERR_BODY_TIMEOUT: 'the server stopped sending',
  UND_ERR_SOCKET: 'the connection was cut',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the connection was cut',
  ECONNRESET: 'the connection was cut',
};

/** Tells a failure of the connection in words. */
export function explainNetworkError(error: unknown, { isUnreachable = false } = {}): TryFailure {
  const { code = '', message } = innermost(error);
  const lasting = { isLasting: true, isUnreachable };
  if (/CERT|SELF_SIGNED|UNABLE_TO_|SSL|TLS/.test(code)) {
    const advice = 'if your network replaces certificates, set NODE_EXTRA_CA_CERTS to a file with its own';
    return new TryFailure(`the server's certificate was not accepted (${code}); ${advice}`, lasting);
  }
  // undici has no code of its own for a proxy that refuses.
  if (/\bproxy\b/i.test(message)) {
    return new TryFailure(`the proxy refused the connection (${message})`, lasting);
  }
  const isUnconnected = UNCONNECTED.includes(code);
  return new TryFailure(explanations[code] ?? message, { isUnreachable, isUnconnected });
}

/** Several addresses of one host fail as a group; the first stands for all. */
function innermost(error: unknown): { readonly code?: string; readonly message: string } {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0]);
  if (!(error instanceof Error)) return { message: String(error) };
  if (error.cause instanceof Error && 'code' in error.cause) return innermost(error.cause);
  return error;
}
