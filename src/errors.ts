/** What an error says beyond its sentence: where it was met and how to mend it. */
export interface ErrorDetails {
  /** `file:line:column`, a path, or a path with a packet and byte offset. */
  readonly where?: string | undefined;
  /** What the reader can do about it, as one or more whole sentences. */
  readonly fix?: string | undefined;
  readonly cause?: unknown;
}

/**
 * An error that a person is meant to read: *where*, what was expected, what was found, how to mend it.
 * Programs read `code`, which never changes once published.
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

/** The text of an error for a terminal: `where  message` and, on the lines below, the remedy. */
export function describeError(error: unknown): string {
  if (!(error instanceof ReproError)) return error instanceof Error ? error.message : String(error);
  const head = error.where === undefined ? error.message : `${error.where}  ${error.message}`;
  return error.fix === undefined ? head : `${head}\n  ${error.fix.split('\n').join('\n  ')}`;
}

/** Whether an error is one of the system's with one of these codes, such as `ENOENT`. */
export function hasErrorCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** Closes an exhaustive `switch`: reaching it is a programming error, and the compiler says so first. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
