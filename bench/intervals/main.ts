import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Design, type Effects, simulateCoverage } from './simulate.ts';

const all = { folds: 1, clips: 24 };
/** Profile overnight: the 1,464 clips of DVS128 Gesture. */
const night = (seeds: number): Design => ({ seeds, users: 29, clips: 50, folds: 5 });
/** Designs of profiles, and smaller ones. Those with folds have the users of DVS128 Gesture, and a dozen clips of each. */
const designs: readonly [name: string, design: Design][] = [
  ['2 seeds, 6 users', { ...all, seeds: 2, users: 6 }],
  ['5 seeds, 6 users', { ...all, seeds: 5, users: 6 }],
  ['10 seeds, 6 users', { ...all, seeds: 10, users: 6 }],
  ['20 seeds, 12 users', { ...all, seeds: 20, users: 12 }],
  ['3 seeds, 29 users', { ...all, seeds: 3, users: 29 }],
  ['16 seeds, 48 users', { ...all, seeds: 16, users: 48 }],
  ['5 seeds, 1,000 clips without users', { seeds: 5, users: 1000, clips: 1, folds: 1 }],
  ...[5, 8, 10, 20].map((seeds): [string, Design] => [
    `${seeds} seeds, 29 users in 5 folds`,
    { seeds, users: 29, clips: 12, folds: 5 },
  ]),
  ...[20, 40].map((seeds): [string, Design] => [
    `${seeds} seeds, 29 users in 5 folds, 50 clips of each`,
    night(seeds),
  ]),
];

/** As found in trainings to the end and in short ones: accuracy, and standard deviations of the difference between seeds and users. */
const found = [
  { accuracy: 0.97, seeds: 0.013, users: 0.012 },
  { accuracy: 0.86, seeds: 0.04, users: 0.023 },
] as const;

const REPETITIONS = 2000;
const MARGIN = 0.02;

/** What one night of profile overnight may meet: as in trainings to the end on simulated gestures, and people who are harder. */
const nights = [
  { accuracy: 0.97, seeds: 0.013, users: 0.012 },
  { accuracy: 0.94, seeds: 0.02, users: 0.02 },
] as const;
const ARMS = 7;

/** Writes the table of docs/claims.md, and that of docs/question.md. */
export function main({ root }: { readonly root: string }): void {
  writeTable(path.join(root, 'docs/claims.md'), 'design', describeCoverage());
  writeTable(path.join(root, 'docs/question.md'), 'seeds of each arm', describePower());
}

function describePower(): string[] {
  return [5, 10, 20, 40].map((seeds) => {
    const measure = (effects: (typeof nights)[number], loss: number) =>
      simulateCoverage(
        night(seeds),
        { ...effects, loss },
        { repetitions: REPETITIONS, margin: MARGIN, arms: ARMS },
      );
    const cells = nights.flatMap((effects) => [
      measure(effects, 0).equivalent,
      measure(effects, MARGIN).different,
      measure(effects, 1.5 * MARGIN).different,
    ]);
    return `| ${[seeds, ...cells.map((share) => `${Math.round(100 * share)} %`)].join(' | ')} |\n`;
  });
}

function describeCoverage(): string[] {
  return designs.map(([name, design]) => {
    const effects = found.flatMap(({ accuracy, seeds, users }) =>
      [0, seeds].flatMap((ofSeeds) =>
        // Without users, there is nothing that clips of one user could share.
        (design.clips === 1 ? [0] : [0, users]).flatMap((ofUsers) =>
          [0, MARGIN].map((loss): Effects => ({ accuracy, loss, seeds: ofSeeds, users: ofUsers })),
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
  });
}

/** Replaces the rows of the table whose first column has this heading. */
function writeTable(file: string, heading: string, rows: readonly string[]): void {
  const page = readFileSync(file, 'utf8');
  const head = new RegExp(`(?<=\\| ${heading} \\|.*\\n\\|[- |:]*\\n)(?:\\|.*\\n)*`);
  if (!head.test(page)) throw new Error(`${file} has no table that begins with "| ${heading} |"`);
  writeFileSync(file, page.replace(head, rows.join('')));
}

function formatRange(shares: readonly number[]): string {
  return `${percent(Math.min(...shares))} to ${percent(Math.max(...shares))} %`;
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}
