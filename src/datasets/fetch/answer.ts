import { STATUS_CODES } from 'node:http';
import { formatCount } from '../../text.ts';
import type { PublishedFile } from '../contract/dataset.ts';
import { TryFailure } from './try-failure.ts';

/** Header fields of an answer, by lower-case name. */
export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** The value of a header field; null if it is absent. Of several, the first. */
export function headerOf(headers: AnswerHeaders, name: string): string | null {
  const value = headers[name];
  const first = Array.isArray(value) ? value[0] : value;
  return first === undefined ? null : first.trim();
}

/** A whole number of bytes; null for anything else. */
export function parseBytes(text: string | null): number | null {
  if (text === null || !/^\d{1,15}$/.test(text)) return null;
  return Number(text);
}

interface ContentRange {
  /** Position of the first byte sent; null if nothing was (`bytes * /5`, which goes with status 416). */
  readonly first: number | null;
  /** Size of the whole file in bytes; null if the server does not know it. */
  readonly totalBytes: number | null;
}

/** `bytes 5-9/10`; null if it is anything else or contradicts itself. See RFC 9110, 14.4. */
export function parseContentRange(text: string | null): ContentRange | null {
  const unsatisfied = /^bytes \*\/(\d{1,15})$/.exec(text ?? '');
  if (unsatisfied !== null) return { first: null, totalBytes: Number(unsatisfied[1]) };
  const found = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(text ?? '');
  if (found === null) return null;
  const [first, last] = [Number(found[1]), Number(found[2])];
  const totalBytes = found[3] === '*' ? null : Number(found[3]);
  if (last < first || (totalBytes !== null && last >= totalBytes)) return null;
  return { first, totalBytes };
}

/**
 * How long a server asks to wait: seconds, or a date by the server's own clock.
 *
 * @param nowMs this machine's time, for an answer without a date
 * @returns ms, not negative; null if the field is absent or not readable
 * @see RFC 9110, 10.2.3
 */
export function parseRetryAfterMs(headers: AnswerHeaders, nowMs: number): number | null {
  const text = headerOf(headers, 'retry-after');
  if (text === null) return null;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const untilMs = Date.parse(text);
  if (Number.isNaN(untilMs)) return null;
  const serverNowMs = Date.parse(headerOf(headers, 'date') ?? '');
  return Math.max(0, untilMs - (Number.isNaN(serverNowMs) ? nowMs : serverNowMs));
}

/** What tells one version of a file on a server from another. */
export interface FileVersion {
  readonly etag: string | null;
  readonly lastModified: string | null;
  /** For `If-Range`: the value that stands for these very bytes; null if none does, and a rest cannot be asked for. */
  readonly ifRange: string | null;
}

/**
 * A weak ETag stands for equal meaning, not equal bytes, and a file may change twice in the second of its Last-Modified, so
 * neither is used in `If-Range`. See RFC 9110, 8.8.2.2 and 13.1.5.
 */
export function readVersion(headers: AnswerHeaders): FileVersion {
  const etag = headerOf(headers, 'etag');
  const lastModified = headerOf(headers, 'last-modified');
  if (etag !== null && /^"[^"]*"$/.test(etag)) return { etag, lastModified, ifRange: etag };
  const ageMs = Date.parse(headerOf(headers, 'date') ?? '') - Date.parse(lastModified ?? '');
  // NaN compares false.
  return { etag, lastModified, ifRange: etag === null && ageMs >= 1000 ? lastModified : null };
}

/** Whether an answer is known to be about another version. A field that either lacks says nothing. */
export function isOtherVersion(known: FileVersion, found: FileVersion): boolean {
  const differs = (a: string | null, b: string | null): boolean => a !== null && b !== null && a !== b;
  return differs(known.etag, found.etag) || differs(known.lastModified, found.lastModified);
}

/** A server that asks for more than this is not waited for. */
const LONGEST_WAIT_MS = 10 * 60_000;
/** Request timeout, too early, too many requests: 5xx and these may pass. */
const PASSING = [408, 425, 429];

/** What an answer without its body says. */
interface AnswerHead {
  readonly status: number;
  readonly headers: AnswerHeaders;
}

/** What was asked for: the file from its first byte, or the rest of a version of it. */
interface Asked {
  readonly offset: number;
  readonly version: FileVersion | null;
}

/** What an answer brings: bytes from `offset` on, or nothing because all of them are here. */
type Delivery =
  | { readonly kind: 'nothing left' }
  | {
      readonly kind: 'bytes';
      readonly offset: number;
      /** Of the whole file; null if neither the list nor the server says. */
      readonly totalBytes: number | null;
      readonly version: FileVersion;
    };

/**
 * Decides whether an answer brings the bytes that were asked for. A server may send the whole file instead of its rest.
 *
 * @throws {TryFailure} if it brings anything else: an error, a page, an encoded file, another size, another version
 */
export function checkAnswer(head: AnswerHead, asked: Asked, file: PublishedFile): Delivery {
  const { status, headers } = head;
  if (status === 416 && asked.offset > 0) return checkUnsatisfied(headers, asked, file);
  if (status !== 200 && status !== 206) throw explainStatus(head);
  const version = readVersion(headers);
  const length = parseBytes(headerOf(headers, 'content-length'));
  const offset = status === 206 ? checkRange(headers, asked, version) : 0;
  const announced =
    status === 206 ? (parseContentRange(headerOf(headers, 'content-range'))?.totalBytes ?? null) : length;
  refusePage(headers, announced, file);
  refuseEncoding(headers, file);
  if (file.sizeBytes !== null && announced !== null && announced !== file.sizeBytes) {
    throw new TryFailure(
      'lasting',
      `the server announces ${formatCount(announced, 'byte')}, expected ${formatCount(file.sizeBytes, 'byte')}: it has another file`,
    );
  }
  return { kind: 'bytes', offset, totalBytes: file.sizeBytes ?? announced, version };
}

/** 416: nothing from there on, so all is here, or the file on the server is a shorter one. */
function checkUnsatisfied(headers: AnswerHeaders, asked: Asked, file: PublishedFile): Delivery {
  const totalBytes = parseContentRange(headerOf(headers, 'content-range'))?.totalBytes ?? null;
  if (file.sizeBytes === null && totalBytes === asked.offset) return { kind: 'nothing left' };
  throw new TryFailure(
    'stale',
    `the server has no bytes after the first ${asked.offset.toLocaleString('en-US')} (416)`,
  );
}

/** @returns position of the first byte sent */
function checkRange(headers: AnswerHeaders, asked: Asked, version: FileVersion): number {
  const text = headerOf(headers, 'content-range');
  const range = parseContentRange(text);
  if (range === null || range.first !== asked.offset) {
    const expected = `expected bytes from ${asked.offset.toLocaleString('en-US')} on`;
    throw new TryFailure(
      'stale',
      `the server sends another part of the file: ${expected}, found ${text ?? 'no range'}`,
    );
  }
  if (asked.version !== null && isOtherVersion(asked.version, version)) {
    throw new TryFailure('stale', 'the server sends the rest of another version of the file');
  }
  return range.first;
}

/** Logins, quotas and overloaded servers answer with a page and status 200. */
function refusePage(headers: AnswerHeaders, announced: number | null, file: PublishedFile): void {
  const type = headerOf(headers, 'content-type') ?? '';
  if (!/^(?:text\/html|application\/xhtml\+xml)\b/i.test(type) || /\.x?html?$/i.test(file.name)) return;
  // Some servers call every text a page.
  if (file.sizeBytes !== null && announced === file.sizeBytes) return;
  throw new TryFailure('lasting', `the server sends a web page (${type}) instead of the file`);
}

function refuseEncoding(headers: AnswerHeaders, file: PublishedFile): void {
  const encoding = headerOf(headers, 'content-encoding')?.toLowerCase() ?? 'identity';
  if (encoding === '' || encoding === 'identity') return;
  // Apache labels files that are themselves gzip in this way. Its bytes are the file's.
  if (/^(?:x-)?gzip$/.test(encoding) && /\.(?:gz|tgz)$/i.test(file.name)) return;
  throw new TryFailure(
    'lasting',
    `the server sends the file encoded (${encoding}), although it was asked not to`,
  );
}

function explainStatus({ status, headers }: AnswerHead): TryFailure {
  const text = `the server answered ${`${status} ${STATUS_CODES[status] ?? ''}`.trim()}`;
  const waitMs = parseRetryAfterMs(headers, Date.now());
  // Some servers answer 403 to clients that ask too often.
  const isPassing = status >= 500 || PASSING.includes(status) || (status === 403 && waitMs !== null);
  if (!isPassing) return new TryFailure('lasting', text);
  if (waitMs !== null && waitMs > LONGEST_WAIT_MS) {
    return new TryFailure('lasting', `${text} and asks to wait ${Math.ceil(waitMs / 60_000)} minutes`);
  }
  return new TryFailure('passing', text, { waitMs });
}
