/** Details of an error besides its message: where it occurred and how to fix it. */
interface ErrorDetails {
  /** `file:line:column`, a path, or a path with a packet and byte offset. */
  readonly where?: string | undefined;
  /** What the reader can do about it, in complete sentences. */
  readonly fix?: string | undefined;
  readonly cause?: unknown;
}

/**
 * An error for people to read: where, what was expected, what was found, how to fix it.
 * Programs use `code`, which never changes once published.
 */
export class ReproError extends Error {
  override readonly name: string = 'ReproError';
  readonly code: string;
  readonly where: string | undefined;
  readonly fix: string | undefined;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.where = details.where;
    this.fix = details.fix;
  }
}

/** The text of an error for a terminal: `where  message` and, on the lines below, the fix. */
export function describeError(error: unknown): string {
  if (!(error instanceof ReproError)) return messageOf(error);
  const head = error.where === undefined ? error.message : `${error.where}  ${error.message}`;
  return error.fix === undefined ? head : `${head}\n  ${error.fix.split('\n').join('\n  ')}`;
}

/** What an error says, of whatever kind it is. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function firstLineOf(error: unknown): string {
  return (messageOf(error).split('\n')[0] ?? '').trim();
}

/** Whether this is a system error with one of these codes, such as `ENOENT`. */
export function hasErrorCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** Ends an exhaustive `switch`: the compiler rejects any call that can be reached. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
