import { ReproError } from '../../errors.ts';

/**
 * What went wrong while a file was read, and where in it; the containers add the file's name.
 *
 * @param fix where another remedy than that of its kind helps
 */
export type Fail = (kind: FailureKind, what: string, offset?: number, fix?: string) => never;

/** `broken`: cut off or altered. `refused`: it asks for something that no checkpoint needs. `unsupported`: fine, but not read here. */
export type FailureKind = 'broken' | 'refused' | 'unsupported';

const FIXES: Readonly<Record<FailureKind, string>> = {
  // Not "see whether torch.load can read it": that would run whatever the file says.
  broken: 'Fetch it again from where it comes from, or save it again there.',
  refused:
    'Nothing of it was run. If you trust where it comes from, load it there with PyTorch, and save `net.state_dict()` with torch.save.',
  unsupported:
    'Load it with PyTorch on the machine that it comes from, and save `net.state_dict()` with torch.save.',
};

/** Errors of one file (and, in a zip, one member): code `torch-broken`, `torch-refused` or `torch-unsupported`. */
export function failIn(file: string, member?: string): Fail {
  return (kind, what, offset, fix) => {
    const place = [file, ...(member === undefined ? [] : [member])].join(': ');
    throw new ReproError(`torch-${kind}`, `${what}.`, {
      where: offset === undefined ? place : `${place}: byte ${offset}`,
      fix: fix ?? FIXES[kind],
    });
  };
}
