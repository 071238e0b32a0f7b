import { parseArgs } from 'node:util';
import { type Tool, tools } from './projects.ts';

export interface Options {
  readonly repeats: number;
  readonly stages: number;
  readonly hugeStages: number;
  readonly dataBytes: number;
  readonly tools: readonly Tool[];
  readonly folder: string | undefined;
}

export const help = `The runner against make, Snakemake, turbo and wireit on generated graphs of the same shape.

  npm run bench:runner                              # five minutes, 5 GB of disk for a while
  npm run bench:runner -- --quick                   # a minute or two: 100 stages, 1,000 huge, 100 MB
  npm run bench:runner -- --tools make --repeats 21

  --repeats N      turns of each measurement (default 11)
  --stages N       of the layered graph (default 1000; 0 leaves it out)
  --huge N         of the graph whose memory is measured (default 10000; 0 leaves it out)
  --data BYTES     of the 1,464 files that a stage reads (default 2e9; 0 leaves them out)
  --tools LIST     of make,snakemake,turbo,wireit (default: all that are there)
  --folder DIR     where the projects are made (default: the system's folder for temporary files)

It fails if a run with nothing to do costs more than 8 times \`node -e 0\` (the layered graph) or 3 times (the data).

turbo and wireit are installed from npm into a temporary folder; make and Snakemake are used if they are there
(Debian: apt-get install --no-install-recommends make snakemake).`;

/** @returns undefined if only help is wanted */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      repeats: { type: 'string' },
      stages: { type: 'string' },
      huge: { type: 'string' },
      data: { type: 'string' },
      tools: { type: 'string' },
      folder: { type: 'string' },
    },
  });
  if (values.help) return undefined;
  const count = (text: string | undefined, quick: number, usual: number): number => {
    const value = text === undefined ? (values.quick ? quick : usual) : Number(text);
    if (Number.isInteger(value) && value >= 0) return value;
    throw new Error(`${text}: expected a whole number`);
  };
  const names = values.tools?.split(',') ?? tools;
  const unknown = names.find((name) => !tools.some((tool) => tool === name));
  if (unknown !== undefined) throw new Error(`--tools ${unknown}: expected some of ${tools.join(', ')}`);
  return {
    repeats: Math.max(1, count(values.repeats, 5, 11)),
    stages: count(values.stages, 100, 1000),
    hugeStages: count(values.huge, 1000, 10_000),
    dataBytes: count(values.data, 100e6, 2e9),
    tools: tools.filter((tool) => tool === 'repro' || names.includes(tool)),
    folder: values.folder,
  };
}
