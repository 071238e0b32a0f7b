/**
 * What to do after a try that failed:
 * - `passing`: try the same address again, later;
 * - `lasting`: the address is of no use to this command;
 * - `stale`: try again from the first byte, because the rest does not go with what is already here.
 */
type FailureKind = 'passing' | 'lasting' | 'stale';

/** One try to download a file failed. The message is part of a sentence: what the server did. */
export class TryFailure extends Error {
  override readonly name = 'TryFailure';
  readonly kind: FailureKind;
  /** How long the server asks to wait, in ms; null if it does not. */
  readonly waitMs: number | null;
  /** Whether no answer came at all, so that the network or a proxy may be the reason. */
  readonly isUnreachable: boolean;

  constructor(
    kind: FailureKind,
    message: string,
    details: {
      readonly waitMs?: number | null;
      readonly isUnreachable?: boolean;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.waitMs = details.waitMs ?? null;
    this.isUnreachable = details.isUnreachable ?? false;
  }
}

/** What went wrong, by the code of Node or undici. `unreachable`: before any answer. */
const explanations: Readonly<Record<string, readonly [text: string, when: 'unreachable' | 'later']>> = {
  ENOTFOUND: ['the host name is not known (ENOTFOUND)', 'unreachable'],
  EAI_AGAIN: ['the host name could not be looked up (EAI_AGAIN)', 'unreachable'],
  ECONNREFUSED: ['the connection was refused (ECONNREFUSED)', 'unreachable'],
  EHOSTUNREACH: ['the host cannot be reached (EHOSTUNREACH)', 'unreachable'],
  ENETUNREACH: ['the network cannot be reached (ENETUNREACH)', 'unreachable'],
  ETIMEDOUT: ['the connection could not be made in time', 'unreachable'],
  UND_ERR_CONNECT_TIMEOUT: ['the connection could not be made in time', 'unreachable'],
  UND_ERR_HEADERS_TIMEOUT: ['the server did not answer in time', 'unreachable'],
  UND_ERR_BODY_TIMEOUT: ['the server stopped sending', 'later'],
  UND_ERR_SOCKET: ['the connection was cut', 'later'],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['the connection was cut', 'later'],
  ECONNRESET: ['the connection was cut', 'later'],
  EPIPE: ['the connection was cut', 'later'],
};

/** Tells a failure of the connection in words. */
export function explainNetworkError(error: unknown): TryFailure {
  if (!(error instanceof Error)) return new TryFailure('passing', String(error), { cause: error });
  const inner = innermost(error);
  const code = 'code' in inner ? String(inner.code) : '';
  const known = explanations[code];
  if (known !== undefined) {
    return new TryFailure('passing', known[0], { isUnreachable: known[1] === 'unreachable', cause: error });
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_|SSL|TLS/.test(code)) {
    const text = `the server's certificate was not accepted (${code}); if your network replaces certificates, set NODE_EXTRA_CA_CERTS to a file with its own`;
    return new TryFailure('lasting', text, { isUnreachable: true, cause: error });
  }
  // undici has no code of its own for a proxy that refuses.
  if (/\bproxy\b/i.test(inner.message)) {
    const text = `the proxy refused the connection (${inner.message})`;
    return new TryFailure('lasting', text, { isUnreachable: true, cause: error });
  }
  if (inner.name === 'HTTPParserError' || /^UND_ERR_/.test(code)) {
    return new TryFailure('passing', `the server's answer is not valid HTTP (${inner.message})`, {
      cause: error,
    });
  }
  return new TryFailure('passing', inner.message, { isUnreachable: true, cause: error });
}

/** Several addresses of one host fail as a group; the first stands for all. */
function innermost(error: Error): Error {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return innermost(error.errors[0]);
  if (error.cause instanceof Error && 'code' in error.cause) return innermost(error.cause);
  return error;
}

/** An address without its query, which may be long or secret (signed links after a redirect). */
export function showUrl(url: string | URL): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
