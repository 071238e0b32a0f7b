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

export interface ContentRange {
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
