/**
 * What to do after a try that failed:
 * - `passing`: try the same address again, later;
 * - `lasting`: the address is of no use to this command;
 * - `stale`: try again from the first byte, because the rest does not go with what is already here.
 */
export type FailureKind = 'passing' | 'lasting' | 'stale';

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
