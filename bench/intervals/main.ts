import path from 'node:path';
import { equivalencePower, studentTestPower } from '../../src/verdicts/stats/crossed.ts';
import { percent, writeTable } from '../tables.ts';
import { type Design, type Effects, simulateCoverage } from './simulate.ts';

const all = { folds: 1, clips: 24 };
/** Profile overnight: the 1,464 clips of DVS128 Gesture. */
const night = (seeds: number): Design => ({ seeds, users: 29, clips: 50, folds: 5 });
/** Standard deviations of the difference between the people whom folds train on: 0.5 and 1 point. */
const SHIFTS = [0.005, 0.01];
const folded = { users: 29, clips: 12, folds: 5 };
/** Designs of profiles, and smaller ones. Those with folds have the users of DVS128 Gesture, and a dozen clips of each. */
export const DESIGNS: readonly [name: string, design: Design, trained?: readonly number[]][] = [
  ['2 seeds, 6 users', { ...all, seeds: 2, users: 6 }],
  ['5 seeds, 6 users', { ...all, seeds: 5, users: 6 }],
  ['10 seeds, 6 users', { ...all, seeds: 10, users: 6 }],
  ['20 seeds, 12 users', { ...all, seeds: 20, users: 12 }],
  ['3 seeds, 29 users', { ...all, seeds: 3, users: 29 }],
  ['16 seeds, 48 users', { ...all, seeds: 16, users: 48 }],
  ['10 seeds, 6 users, one of them with 60 % of the clips', { ...all, seeds: 10, users: 6, sharing: 'one' }],
  ...[5, 8, 30].map((users): [string, Design] => [
    `10 seeds, ${users} users by Zipf`,
    { ...all, seeds: 10, users, sharing: 'zipf' },
  ]),
  ['5 seeds, 1,000 clips without users', { seeds: 5, users: 1000, clips: 1, folds: 1 }],
  ...[5, 8, 10, 20].map((seeds): [string, Design] => [
    `${seeds} seeds, 29 users in 5 folds`,
    { ...folded, seeds },
  ]),
  ...[20, 40].map((seeds): [string, Design] => [
    `${seeds} seeds, 29 users in 5 folds, 50 clips of each`,
    night(seeds),
  ]),
  ['20 seeds, 29 users in 5 folds, trainings shifted', { ...folded, seeds: 20 }, SHIFTS],
  [
    '20 seeds, 29 users in 5 listed folds, trainings shifted',
    { ...folded, seeds: 20, isListed: true },
    SHIFTS,
  ],
];

/** As found in trainings to the end and in short ones: accuracy, and standard deviations of the difference between seeds and users. */
const found = [
  { accuracy: 0.97, seeds: 0.013, users: 0.012 },
  { accuracy: 0.86, seeds: 0.04, users: 0.023 },
] as const;

/** As in the positive control: the arm's trainings are 92 % right, but a share of them is half right, as is the baseline. */
const plateau = { accuracy: 0.5, loss: -0.42, seeds: 0.01, users: 0 } as const;

const REPETITIONS = 2000;
const MARGIN = 0.02;

/** What one night of profile overnight may meet: as in trainings to the end on simulated gestures, and people who are harder. */
const nights = [
  { accuracy: 0.97, seeds: 0.013, users: 0.012 },
  { accuracy: 0.94, seeds: 0.02, users: 0.02 },
] as const;
/** Profile arms, on all clips and on those of the classes that differ by direction, a third of them: there, deviations are three times as large if no other class matters. */
const endpoints = [
  ['all clips', { clips: 24, margin: MARGIN }, nights[0]],
  ['direction', { clips: 8, margin: 2 * MARGIN }, { accuracy: 0.91, seeds: 0.039, users: 0.036 }],
] as const;

/** Writes tables of bench/verdicts.md. */
export function main({ root }: { readonly root: string }): void {
  const page = path.join(root, 'bench/verdicts.md');
  writeTable(page, 'seeds of each arm', describeNights());
  writeTable(page, 'people differ by', describeWords());
  writeTable(page, 'deviation between seeds', describeRows());
  writeTable(page, 'endpoint', describeEndpoints());
  writeTable(page, 'trainings that succeed', describePlateau());
  writeTable(
    page,
    'design',
    DESIGNS.map((one) => describeDesign(...one)),
  );
}

/** How often the 95 % interval contains the difference if some of the arm's seeds stay at a plateau. */
function describePlateau(): string[] {
  return [0.3, 0.5, 0.7, 0.9].map((escaping) => {
    const shares = [5, 10].map((seeds) => {
      const design = { seeds, users: 1000, clips: 1, folds: 1 };
      const repetitions = { repetitions: REPETITIONS, margin: MARGIN };
      return simulateCoverage(design, { ...plateau, stuck: 1 - escaping }, repetitions).wide;
    });
    return `| ${[Math.round(100 * escaping), ...shares.map(percent)].join(' % | ')} % |\n`;
  });
}

function describeNights(): string[] {
  return [5, 10, 20, 40].map((seeds) => {
    const power = nights.flatMap((effects) => measurePower(night(seeds), effects, MARGIN, 7));
    return `| ${[seeds, ...power].join(' | ')} |\n`;
  });
}

/** Profile words, whose people differ by so many points, and seeds by 1.5 as in pilots. */
function describeWords(): string[] {
  const design: Design = { seeds: 20, users: 30, clips: 300, folds: 5 };
  return [1, 2, 3].map((points) => {
    const effects = { accuracy: 0.75, seeds: 0.015, users: points / 100 };
    return `| ${[points, ...measurePower(design, effects, MARGIN, 10)].join(' | ')} |\n`;
  });
}

function describeEndpoints(): string[] {
  return endpoints.map(([name, { clips, margin }, effects]) => {
    const design = { seeds: 16, users: 48, clips, folds: 1 };
    return `| ${[name, ...measurePower(design, effects, margin, 8)].join(' | ')} |\n`;
  });
}

/**
 * Profile rows, in points: 8 seeds and 10,000 images, each a user of one clip. Simulated, they take many minutes, so this is the report's own power. How
 * hard an image is for one arm alone adds 0.1 points, more than any arm of fashion-mnist shows.
 */
function describeRows(): string[] {
  return [0.4, 0.6, 0.8, 1].map((deviation) => {
    const spread = { error: Math.hypot(deviation / Math.sqrt(8), 0.1), degrees: 7 };
    const shares = [
      ...[0.5, 1].map((margin) => equivalencePower(spread, margin, 0.05)),
      ...[0.5, 1, 1.5].map((loss) => studentTestPower(loss / spread.error, 7, 0.05 / 5)),
    ];
    return `| ${[deviation, ...shares.map((share) => `${Math.round(100 * share)} %`)].join(' | ')} |\n`;
  });
}

/** How often an arm is shown to be equivalent that is, and how often a loss of the margin and one of half as much again are found. */
function measurePower(
  design: Design,
  effects: Omit<Effects, 'loss'>,
  margin: number,
  arms: number,
): string[] {
  const measure = (loss: number) =>
    simulateCoverage(design, { ...effects, loss }, { repetitions: REPETITIONS, margin, arms });
  const shares = [measure(0).equivalent, measure(margin).different, measure(1.5 * margin).different];
  return shares.map((share) => `${Math.round(100 * share)} %`);
}

export function describeDesign(name: string, design: Design, shifts: readonly number[] = [0]): string {
  const effects = found.flatMap(({ accuracy, seeds, users }) =>
    [0, seeds].flatMap((ofSeeds) =>
      // Without users, there is nothing that clips of one user could share.
      (design.clips === 1 ? [0] : [0, users]).flatMap((ofUsers) =>
        shifts.flatMap((trained) =>
          [0, MARGIN].map((loss): Effects => ({ accuracy, loss, seeds: ofSeeds, users: ofUsers, trained })),
        ),
      ),
    ),
  );
  const runs = effects.map((effect) => ({
    ...effect,
    ...simulateCoverage(design, effect, { repetitions: REPETITIONS, margin: MARGIN }),
  }));
  const different = runs.filter(({ loss }) => loss === 0).map(({ wide }) => 1 - wide);
  const equivalent = runs.filter(({ loss }) => loss > 0).map((run) => run.equivalent);
  const cells = [
    formatRange(runs.map(({ wide }) => wide)),
    formatRange(runs.map(({ narrow }) => narrow)),
    `${percent(Math.max(...different))} %`,
    `${percent(Math.max(...equivalent))} %`,
  ];
  console.log(`${name}: ${cells.join(', ')}`);
  return `| ${[name, ...cells].join(' | ')} |\n`;
}

function formatRange(shares: readonly number[]): string {
  return `${percent(Math.min(...shares))} to ${percent(Math.max(...shares))} %`;
}
