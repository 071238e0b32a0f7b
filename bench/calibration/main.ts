import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { ANSWERS } from '../../src/verdicts/verdicts.ts';
import { percent, writeTable } from '../tables.ts';
import type { Sample } from './simulate.ts';
import { type Chunk, KINDS, type Kind, type Outcome, TRUTHS, type Truth } from './trials.ts';

/** Fewer where hardly any verdict is wrong. */
const STUDIES: Readonly<Record<Truth, number>> = { 0: 4000, half: 1000, margin: 4000, beyond: 2000 };
/** Of the truths with most wrong verdicts. */
const SAMPLES = { fixed: 4000, one: 2000, zipf: 2000, ceiling: 2000 } as const;
const PER_CHUNK = 250;

/** Those of which every claim is true or false. */
const CLEAR = TRUTHS.filter((truth) => truth !== 'half');

export function listChunks(): Chunk[] {
  const special = (['fixed', 'one', 'zipf', 'ceiling'] as const).flatMap((sample) =>
    (['0', 'margin'] as const).map((truth) => ({ truth, sample, all: SAMPLES[sample] })),
  );
  return [...TRUTHS.map((truth) => ({ truth, sample: 'any' as const, all: STUDIES[truth] })), ...special]
    .flatMap(({ all, ...chunk }) =>
      new Array<Omit<Chunk, 'seed'>>(all / PER_CHUNK).fill({ ...chunk, studies: PER_CHUNK }),
    )
    .map((chunk, at) => ({ ...chunk, seed: at + 1 }));
}

/** Writes tables of bench/verdicts.md. @param worker the compiled worker.ts */
export async function main({
  root,
  worker,
}: {
  readonly root: string;
  readonly worker: string;
}): Promise<void> {
  const outcomes = await simulate(listChunks(), worker);
  const page = path.join(root, 'bench/verdicts.md');
  const drawn = outcomes.filter(({ sample }) => sample === 'any');
  writeTable(page, 'claim', describeVerdicts(drawn));
  writeTable(page, 'decided claim', describeDecided(drawn));
  writeTable(page, 'studies', describeDesigns(outcomes));
}

/** Each core simulates the next chunk as soon as it is done with one. */
async function simulate(chunks: readonly Chunk[], file: string): Promise<Outcome[]> {
  const waiting = [...chunks];
  const done: Outcome[][] = [];
  const work = async () => {
    const worker = new Worker(file);
    for (let chunk = waiting.shift(); chunk !== undefined; chunk = waiting.shift()) {
      worker.postMessage(chunk);
      const [outcomes] = (await once(worker, 'message')) as [Outcome[]];
      done.push(outcomes);
      console.log(`${chunks.length - waiting.length} of ${chunks.length}`);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return done.flat();
}

function describeVerdicts(outcomes: readonly Outcome[]): string[] {
  return KINDS.flatMap((kind) => TRUTHS.map((truth) => describeVerdict(kind, truth, outcomes)));
}

/** What is said of the studies of one truth. */
export function describeVerdict(kind: Kind, truth: Truth, outcomes: readonly Outcome[]): string {
  const row = outcomes.filter((one) => one.kind === kind && one.truth === truth);
  const share = (count: (one: Outcome) => boolean) => percent(row.filter(count).length / row.length);
  const isClear = row.every(({ wrong }) => wrong !== null);
  const cells = [
    isClear ? `**${share(isWrong)}**` : '–',
    ...ANSWERS.map((answer) => share(({ verdict }) => verdict === answer)),
    ...(['points', 'relative', 'test'] as const).map((way) =>
      isClear ? share(({ usual, wrong }) => usual[way] === (wrong === 'reproduced')) : '–',
    ),
  ];
  return `| ${[kind, nameTruth(kind, truth), ...cells].join(' | ')} |\n`;
}

function nameTruth(kind: Kind, truth: Truth): string {
  if (truth === '0') return kind === 'order' ? 'one step is 0' : '0';
  const loss = kind === 'no-worse' ? '−' : '';
  if (truth === 'half') return `${loss}½ margin`;
  return truth === 'margin' ? `${loss}margin` : `${loss}1.5 or 2 margins`;
}

function isWrong({ verdict, wrong }: Outcome): boolean {
  return verdict === wrong;
}

/** How many of the verdicts that were given are wrong, as many studies being of each truth. */
function describeDecided(outcomes: readonly Outcome[]): string[] {
  return KINDS.map((kind) => {
    const rows = CLEAR.map((truth) => outcomes.filter((one) => one.kind === kind && one.truth === truth));
    const cells = [ANSWERS.slice(0, 2), ['reproduced'], ['not-reproduced']].map((answers) => {
      const [said, wrong] = [() => true, isWrong].map((counts) =>
        rows.reduce((sum, row) => {
          const found = row.filter((one) => answers.includes(one.verdict) && counts(one));
          return sum + found.length / row.length;
        }, 0),
      );
      return percent(wrong! / said!);
    });
    return `| ${[kind, ...cells].join(' | ')} |\n`;
  });
}

const isDrawn = (sample: Sample) => (one: Outcome) => one.sample === sample;
const hasDesign = (has: (design: Outcome['design']) => boolean) => (one: Outcome) =>
  one.sample === 'any' && has(one.design);
const SLICES: readonly [name: string, has: (outcome: Outcome) => boolean][] = [
  ['binary answers', hasDesign(({ isScore }) => !isScore)],
  ['scores', hasDesign(({ isScore }) => isScore)],
  ['with people', hasDesign(({ people }) => people !== null)],
  ['published of other people', ({ sample, isOfOthers }) => sample === 'any' && isOfOthers],
  ['of 6 to 9 people', hasDesign(({ people }) => people !== null && people < 10)],
  ['without people', hasDesign(({ people }) => people === null)],
  ['binary answers, accuracy above 95 %', hasDesign(({ isScore, accuracy }) => !isScore && accuracy > 0.95)],
  ['1 seed', hasDesign(({ seeds }) => seeds === 1)],
  ['2 or 3 seeds', hasDesign(({ seeds }) => seeds === 2 || seeds === 3)],
  ['4 to 10 seeds', hasDesign(({ seeds }) => seeds > 3)],
  ['1 seed, `trainings: fixed`', isDrawn('fixed')],
  ['5 to 30 people, one of them with 60 % of the items', isDrawn('one')],
  ['5 to 30 people by Zipf', isDrawn('zipf')],
  ['98 % accuracy, 8 people, 10 seeds', isDrawn('ceiling')],
];

/** The share of wrong verdicts, of the truth with most of them. */
function describeDesigns(outcomes: readonly Outcome[]): string[] {
  return SLICES.map(([name, has]) => {
    const rows = outcomes.filter(has);
    const worst = KINDS.map((kind) => {
      const shares = TRUTHS.flatMap((truth) => {
        const row = rows.filter((one) => one.kind === kind && one.truth === truth);
        return row.length === 0 ? [] : row.filter(isWrong).length / row.length;
      });
      return shares.length === 0 ? '–' : percent(Math.max(...shares));
    });
    return `| ${[name, ...worst].join(' | ')} |\n`;
  });
}
