import { ReproError } from '../../errors.ts';
import { escapeControls } from '../shown-text.ts';

/**
 * Reports what went wrong while a file was read, and where in it. The containers add the file's name.
 *
 * @param what may contain names from the file: control characters are escaped
 * @param fix replaces the usual advice for this kind of failure
 */
export type Fail = (kind: FailureKind, what: string, offset?: number, fix?: string) => never;

/** `broken`: truncated or altered. `refused`: asks for something that no checkpoint needs. `unsupported`: valid, but not read here. */
export type FailureKind = 'broken' | 'refused' | 'unsupported';

const FIXES: Readonly<Record<FailureKind, string>> = {
  // Not "try torch.load": that would run whatever the file says.
  broken: 'Fetch or save it again.',
  refused:
    'Nothing in it was run. If you trust its origin, load it there with PyTorch and save `net.state_dict()` with torch.save.',
  unsupported:
    'Load it with PyTorch on the machine that it comes from and save `net.state_dict()` with torch.save.',
};

/** Errors of one file (and, in a zip, one member): code `torch-broken`, `torch-refused` or `torch-unsupported`. */
export function failIn(file: string, member?: string): Fail {
  return (kind, what, offset, fix) => {
    const place = [file, ...(member === undefined ? [] : [member])].join(': ');
    throw new ReproError(`torch-${kind}`, `${escapeControls(what)}.`, {
      where: offset === undefined ? place : `${place}: byte ${offset}`,
      fix: fix ?? FIXES[kind],
    });
  };
}
