import { ReproError } from '../errors.ts';

/** A position in an AEDAT 4 file; `inside` is set within a packet, and counts in its uncompressed bytes. */
export interface Aedat4Place {
  readonly file: string;
  /** Of the header or of the packet. */
  readonly byte: number;
  /** From 1; 0 for the header. */
  readonly packet: number;
  readonly inside?: number | undefined;
}

type Aedat4Code =
  | 'aedat4-header'
  | 'aedat4-packet'
  | 'aedat4-truncated'
  | 'aedat4-compression'
  | 'aedat4-event'
  | 'aedat4-size';

const DAMAGED = 'The file is cut off or damaged: copy it again, or record it again.';

export function failAedat4(
  code: Aedat4Code,
  place: Aedat4Place,
  what: string,
  fix = DAMAGED,
  cause?: unknown,
): never {
  throw new ReproError(code, `${what}.`, { where: describePlace(place), fix, cause });
}

export function describePlace({ file, byte, packet, inside }: Aedat4Place): string {
  const place = packet === 0 ? `header, byte ${byte}` : `packet ${packet}, byte ${byte}`;
  return `${file}: ${place}${inside === undefined ? '' : `, byte ${inside} of its contents`}`;
}
