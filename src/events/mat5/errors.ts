import { ReproError } from '../../errors.ts';

/** A position in a .mat file; `inside` is set within a compressed variable, and counts in its uncompressed bytes. */
export interface MatPlace {
  readonly file: string;
  readonly byte: number;
  readonly inside?: number | undefined;
}

const DAMAGED = 'The file is cut off or damaged: download it again.';
const OTHER = 'The file is damaged, or not the kind of recording that is read here.';

export function describePlace({ file, byte, inside }: MatPlace): string {
  return inside === undefined
    ? `${file}: byte ${byte}`
    : `${file}: byte ${inside} of the compressed variable at byte ${byte}`;
}

export function failElement(place: MatPlace, what: string, fix = DAMAGED): never {
  throw new ReproError('mat5-element', `${what}.`, { where: describePlace(place), fix });
}

export function failTruncated(place: MatPlace, needed: number, there: number): never {
  throw new ReproError(
    'mat5-truncated',
    `the element here needs ${count(needed)}, but only ${there.toLocaleString('en-US')} follow.`,
    { where: describePlace(place), fix: DAMAGED },
  );
}

export function failVariable(place: MatPlace, name: string, what: string, fix = DAMAGED): never {
  throw new ReproError('mat5-variable', `variable ${JSON.stringify(name)} ${what}.`, {
    where: describePlace(place),
    fix,
  });
}

export function failTooLarge(place: MatPlace, sizeBytes: number, limitBytes: number): never {
  throw new ReproError(
    'mat5-size',
    `the variables up to here take ${count(sizeBytes)} uncompressed; at most ${count(limitBytes)} are read.`,
    { where: describePlace(place), fix: OTHER },
  );
}

export function failTooMany(place: MatPlace, mostVariables: number): never {
  throw new ReproError(
    'mat5-size',
    `the file has more than ${mostVariables.toLocaleString('en-US')} variables.`,
    { where: describePlace(place), fix: OTHER },
  );
}

function count(bytes: number): string {
  return `${bytes.toLocaleString('en-US')} ${bytes === 1 ? 'byte' : 'bytes'}`;
}
