import { parseArgs } from 'node:util';

export interface Options {
  readonly seeds: number;
  readonly epochs: number;
  readonly repeats: number;
  /** Where to leave the last report; nowhere by default. */
  readonly keep: string | undefined;
}

export const help = `Times the stage report, as a process of its own, on simulated results of the four models of the thesis.

  npm run bench:report -- [options]

  --seeds 3
  --epochs 1256      of each training, as in profile full
  --repeats 5
  --keep DIR         leave the last report in this folder, which must not exist
`;

/** @returns undefined if only help is wanted */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '3' },
      epochs: { type: 'string', default: '1256' },
      repeats: { type: 'string', default: '5' },
      keep: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    seeds: count('seeds', values.seeds),
    epochs: count('epochs', values.epochs),
    repeats: count('repeats', values.repeats),
    keep: values.keep,
  };
}

function count(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`--${option} must be a whole number of at least 1, got ${text}`);
  }
  return value;
}
