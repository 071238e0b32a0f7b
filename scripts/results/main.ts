// Keeps a profile's results and writes what is made of all of them: scripts/results.mjs compiles and runs it.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { ClaimVerdict } from '../../src/verdicts/claims-file.ts';
import { DIFFERENCE_TITLES } from '../../src/verdicts/verdicts.ts';
import { formatBarePoints, formatBareRange } from '../../src/verdicts/words.ts';
import { drawArms } from './draw-arms.ts';
import { describeEpochs, drawEpochs } from './epochs.ts';
import { formatMarkdownTable, isSweep, listEndpoints, listProfiles, readConfig } from './questions.ts';
import { writeSweep } from './sweep.ts';
import { fillTables } from './tables.ts';

/** Sections of a report that are kept; docs/results.md has the first sentences of those that answer something. */
const answers = ['Width against τ', 'Use of the time constants'];
const kept = ['The question', ...answers, 'What holds', 'Results', 'Time', 'Settings'];

/** @param profile of the last run, whose results are then kept first */
export async function main({ root, profile }: { root: string; profile?: string }): Promise<void> {
  if (profile !== undefined) keep(root, profile);
  for (const sweep of listProfiles(root).filter((one) => isSweep(root, one)))
    await writeSweep(root, path.join(root, 'results', sweep), sweep);
  fs.writeFileSync(path.join(root, 'docs/results.md'), composePage(root));
  for (const page of ['question', 'designs'].map((name) => path.join(root, `docs/${name}.md`)))
    fs.writeFileSync(page, fillTables(root, fs.readFileSync(page, 'utf8')));
  fs.writeFileSync(path.join(root, 'docs/images/arms.svg'), await drawArms(root));
  fs.writeFileSync(path.join(root, 'docs/images/epochs.svg'), await drawEpochs(root));
}

/** Keeps the report of the last run, which has to be one of this profile. */
function keep(root: string, profile: string): void {
  const words = ['bin/repro.js', 'baseline', 'update', '--profile', profile];
  const updateBaseline = () => execFileSync(process.execPath, words, { cwd: root, stdio: 'inherit' });
  updateBaseline();
  const from = path.join(root, 'artifacts/report');
  const folder = path.join(root, 'results', profile);
  const { head, sections } = splitSections(fs.readFileSync(path.join(from, 'report.md'), 'utf8'));
  const report = [head, ...sections.flatMap(({ title, text }) => (kept.includes(title) ? [text] : []))]
    .join('')
    // That page is not kept.
    .replace(/^\[[^\]]*\]\(explore\.html\).*\n\n/m, '');
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(path.join(folder, 'figures'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'report.md'), report);
  for (const name of new Set(report.match(/(?<=\]\()figures\/[\w.-]+/g)))
    fs.copyFileSync(path.join(from, name), path.join(folder, name));
  const verdicts = JSON.parse(fs.readFileSync(path.join(from, 'claims.json'), 'utf8'));
  if (verdicts.question !== undefined)
    fs.copyFileSync(path.join(from, 'answers.csv'), path.join(folder, 'answers.csv'));
  const claims = verdicts.claims.filter(({ verdict }: ClaimVerdict) => verdict !== 'not-applicable');
  fs.writeFileSync(path.join(folder, 'claims.json'), `${JSON.stringify({ ...verdicts, claims }, null, 2)}\n`);
  // The first time, it refuses results that are not up to date; now, it leaves out the answers that are kept here.
  updateBaseline();
}

/** The sections of a page, each with its heading, and what stands above them. */
function splitSections(page: string): { head: string; sections: { title: string; text: string }[] } {
  const [head = '', ...sections] = page.split(/^(?=## )/m);
  return { head, sections: sections.map((text) => ({ title: /^## (.*)/.exec(text)?.[1] ?? '', text })) };
}

/** The text of docs/results.md. */
export function composePage(root: string): string {
  return `${[
    '# Results',
    'What committed runs gave, made by `node scripts/results.mjs` from `results/`, so no number here is typed. [designs.md](designs.md) has the designs, [question.md](question.md) ' +
      'what the results mean; the reports linked below have figures, tables and settings. Profiles that are missing here have not been run yet.',
    '![Differences in accuracy of all arms, with intervals and margins](images/arms.svg)',
    '_Each arm compared with its baseline, for other seeds and other people (or clips, where the data have no people); bars are 95 % intervals, and the margin is shaded. The axis is linear up to ' +
      'about two points and logarithmic beyond. Arms are named as their files in `configs/models/`._',
    tabulateArms(root),
    'Verdicts are by the rule of [claims.md](claims.md#the-question). They take into account how many arms a profile has, and intervals do not: one may leave out 0 where the verdict is ' +
      '*undecided*. Where a profile compares all trainings of another comparison and more, its verdict is the only one, and the table refers to it.',
    '`python3 scripts/recompute.py results` computes all of it again with SciPy, from `answers.csv`: who got which clip right. The command of each section trains a part of its run again, with one seed, ' +
      'and checks every digit; with `REPRO_ISA=avx2`, on a processor with AVX2. Without that variable, any processor compares within [tolerances](check.md#the-rules-and-how-sure-they-are) that may be too tight.',
    describeEpochs(root),
    ...listProfiles(root).map((profile) => describeProfile(root, profile)),
  ].join('\n\n')}\n`;
}

/** All arms of all questions, second endpoints below their first. */
function tabulateArms(root: string): string {
  const rows = listEndpoints(root).flatMap(({ profile, clips, margin, arms }) =>
    arms.map(({ model, baseline, difference, low, high, verdict, speaker }) => [
      `\`${profile}\`${clips === null ? '' : `, ${clips}`}`,
      ...[`\`${model}\``, `\`${baseline}\``, formatBarePoints(difference)],
      low === null || high === null ? '–' : formatBareRange({ low, high }),
      formatBarePoints(margin).slice(1),
      speaker === undefined ? DIFFERENCE_TITLES[verdict] : `see \`${speaker}\``,
    ]),
  );
  const head = [
    'profile',
    'arm',
    'compared with',
    'points more accurate',
    '95 % interval',
    'margin',
    'verdict',
  ];
  return formatMarkdownTable(head, rows, ['---', '---', '---', '---:', '---:', '---:', '---']);
}

function describeProfile(root: string, profile: string): string {
  const read = (file: string) => fs.readFileSync(path.join(root, file), 'utf8');
  if (isSweep(root, profile)) return read(`results/${profile}/section.md`).trim();
  const { dataset, description, models, seeds, report, train, ...profiled } = readConfig(
    root,
    `profiles/${profile}`,
  );
  const { runs, frames } = JSON.parse(read(`configs/baselines/${profile}.json`));
  const engines = [...new Set(runs.map(({ engine }: { engine: string }) => engine))].join('; ');
  // A question needs its baselines among the models.
  const { baseline = models[0], against = {} } = report.question ?? {};
  const last = models.at(-1);
  const pair = [...new Set([baseline, against[last] ?? baseline, last])].join(', ');
  const command = `--profile ${profile} --set 'models=[${pair}]' --set 'seeds=[${seeds.at(-1)}]'`;
  const { files = [], git, published, classes } = readConfig(root, `datasets/${dataset.name}`);
  const isFetched = !dataset.simulated && (files.length > 0 || git !== undefined);
  const fetch = isFetched ? `./repro data fetch ${dataset.name}` : undefined;
  // A check would find other frames in all of them.
  const { limit } = profiled.frames;
  const all = limit === undefined ? published.train : limit.train * classes.length;
  const isPart = !dataset.simulated && frames.train.clips < all;
  const [training, test] = [frames.train, frames.test].map(({ clips }) => clips.toLocaleString('en'));
  const computed = isPart
    ? `Computed by \`${engines}\` on ${training} training and ${test} test clips that were at hand: \`./repro check\` fails on any others.`
    : `Computed by \`${engines}\`.`;
  const isa = engines.includes('avx2') ? 'export REPRO_ISA=avx2' : undefined;
  const commands = [isa, fetch, `./repro run ${command}`, isPart ? undefined : `./repro check ${command}`];
  return [
    `## ${report.title}`,
    [description.trim(), report.question?.text ?? ''].join(' ').trim(),
    ...answersOf(read(`results/${profile}/report.md`), report.question?.text),
    computed,
    ['```sh', commands.filter((one) => one !== undefined).join(' && '), '```'].join('\n'),
    `[The report](../results/${profile}/report.md).`,
  ].join('\n\n');
}

/**
 * What the table cannot say of a kept report: its design, and the sentences in bold of sections that answer something.
 *
 * @param question left out if the run asks none
 */
export function answersOf(report: string, question = ''): string[] {
  const { head, sections } = splitSections(report);
  const paragraphs = head.trim().split('\n\n');
  const from = paragraphs.indexOf(question);
  // The design follows the verdicts; the run at a glance, a list, follows both.
  const design = paragraphs.slice(from + 1).find((part) => !part.startsWith('**'));
  return [
    ...(from === -1 || design === undefined ? [] : [design]),
    ...sections
      .filter(({ title }) => answers.includes(title))
      .flatMap(({ text }) => /^\*\*.*?\*\*/m.exec(text)?.[0].replaceAll('**', '') ?? []),
  ];
}
