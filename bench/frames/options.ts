import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

export interface Options {
  readonly recordings: number;
  /** Of each recording. */
  readonly events: number;
  readonly repeats: number;
  readonly threads: number;
  /** Of an additional recording that does not fit into memory; 0 for none. */
  readonly folder: string | undefined;
  readonly python: string | undefined;
}

export const help = `Times AEDAT 3.1 recordings to frames: one core against NumPy, then the stages verify and frames on all cores.
The recordings are simulated.

  npm run bench:frames -- [options]

  --recordings 8            files; those of DVS128 Gesture are 122
  --events 5000000          of each, 8 bytes an event
  --repeats 5
  --threads N               of the stages; default: one per core
  --quick                   4 recordings of 1 million events, 3 repeats
  --folder DIR              for the recordings, which are removed afterwards; default: beside the compiled benchmark
  --python PROGRAM          default: the first of python3 and /usr/bin/python3 that has NumPy
`;

/** @returns undefined if only help is wanted */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      recordings: { type: 'string' },
      events: { type: 'string' },
      repeats: { type: 'string' },
      threads: { type: 'string', default: String(availableParallelism()) },
      quick: { type: 'boolean', default: false },
      folder: { type: 'string' },
      python: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { quick } = values;
  return {
    recordings: count('recordings', values.recordings ?? (quick ? '4' : '8'), 2),
    events: count('events', values.events ?? (quick ? '1000000' : '5000000'), 1000),
    repeats: count('repeats', values.repeats ?? (quick ? '3' : '5'), 1),
    threads: count('threads', values.threads, 1),
    folder: values.folder,
    python: values.python,
  };
}

function count(option: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) {
    throw new Error(`--${option} must be a whole number of at least ${least}, got ${text}`);
  }
  return value;
}
