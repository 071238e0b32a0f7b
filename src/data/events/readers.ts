import { latin1Text } from '../../base/text.ts';
import type { AudioSettings } from '../../results/audio-settings.ts';
import type { SampleFiles } from '../../results/dataset-facts.ts';
import { decodeAedat2 } from './aedat2.ts';
import { decodeAedat3 } from './aedat3-parser.ts';
import { decodeAedat4 } from './aedat4.ts';
import type { Events, Sensor } from './events.ts';
import { decodeNmnist } from './nmnist-events.ts';
import { decodeNpyEvents, type NpySettings } from './npy-events.ts';
import { decodeSound } from './sound-events.ts';

/** What a file does not say of itself. */
export interface ReaderSettings {
  /** How a `.npy` or `.npz` is read. */
  readonly npy?: NpySettings | undefined;
  /** How sound becomes events; keys that are left out have their defaults. */
  readonly audio?: Partial<AudioSettings> | undefined;
}

/** The data set that a file of events belongs to. */
interface SampleSource extends ReaderSettings {
  readonly title: string;
  /** No event may be outside. */
  readonly sensor: Sensor;
}

interface Decoded {
  readonly events: Events;
  /** If the file says it. */
  readonly sensor?: Sensor;
  /** Sentences on what is odd. */
  readonly warnings: readonly string[];
}

/** What turns a file with one clip into events. */
export interface SampleReader {
  /** In words. */
  readonly format: string;
  readonly endings: readonly string[];
  decode(bytes: Uint8Array, file: string, of: SampleSource): Decoded | Promise<Decoded>;
}

export type ReaderName = SampleFiles['reader'];

/** By the name that a data set's `reader` gives; those that browsers have, too. */
export const READERS: Readonly<Record<Exclude<ReaderName, 'mat'>, SampleReader>> = {
  'nmnist-bin': { format: 'N-MNIST', endings: ['.bin'], decode: decodeNmnist },
  aedat2: {
    format: 'AEDAT 2.0',
    endings: ['.aedat'],
    decode: (bytes, file, { sensor }) => decodeAedat2(bytes, file, sensor),
  },
  aedat3: {
    format: 'AEDAT 3.1',
    endings: ['.aedat'],
    decode(bytes, file, { sensor }) {
      const { events, summary } = decodeAedat3(bytes, { file, sensor });
      return { events, warnings: summary.warnings };
    },
  },
  aedat4: { format: 'AEDAT 4.0', endings: ['.aedat4'], decode: (bytes, file) => decodeAedat4(bytes, file) },
  npy: { format: 'NumPy', endings: ['.npy', '.npz'], decode: decodeNpyEvents },
  wav: {
    format: 'WAV',
    endings: ['.wav'],
    decode: (bytes, file, { audio }) => decodeSound(bytes, file, audio),
  },
};

/** Which of some readers a file needs: of AEDAT by the version in its first line, of others by its ending; undefined for anything else. */
export function findReader<Name extends ReaderName>(
  readers: Readonly<Record<Name, SampleReader>>,
  file: string,
  bytes: Uint8Array,
): Name | undefined {
  const version = /^#!AER-DAT(\d)/.exec(latin1Text(bytes.subarray(0, 14)))?.[1];
  return (Object.keys(readers) as Name[]).find((name) =>
    name.startsWith('aedat')
      ? name === `aedat${version}`
      : readers[name].endings.some((ending) => file.toLowerCase().endsWith(ending)),
  );
}
