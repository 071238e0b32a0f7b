import { inspect } from 'node:util';
import { ReproError } from '../errors.ts';

/** An error as it passes between threads, which only keep its name, message and stack. */
export interface ErrorParts {
  readonly isForPeople: boolean;
  readonly message: string;
  readonly stack: string | undefined;
  readonly where: string | undefined;
  readonly fix: string | undefined;
  /** In words. */
  readonly cause: string | undefined;
  /** `code`, and those of a system error: `syscall`, `path`. */
  readonly fields: Readonly<Record<string, string | number>>;
}

export function takeApart(error: unknown): ErrorParts {
  const own = error instanceof Error ? error : new Error(String(error));
  const fields = Object.entries(own).filter(
    (entry): entry is [string, string | number] =>
      typeof entry[1] === 'string' || typeof entry[1] === 'number',
  );
  const { where, fix } = own instanceof ReproError ? own : {};
  return {
    isForPeople: own instanceof ReproError,
    message: own.message,
    stack: own.stack,
    where,
    fix,
    cause: own.cause === undefined ? undefined : describeCause(own.cause),
    fields: Object.fromEntries(fields),
  };
}

function describeCause(cause: unknown): string {
  return cause instanceof Error && 'syscall' in cause ? cause.message : inspect(cause);
}

/** The same kind of error again. */
export function putTogether({ isForPeople, message, stack, where, fix, cause, fields }: ErrorParts): Error {
  if (isForPeople) return new ReproError(String(fields.code), message, { where, fix, cause });
  const error = Object.assign(new Error(message, { cause }), fields);
  if (stack !== undefined) error.stack = stack;
  return error;
}
