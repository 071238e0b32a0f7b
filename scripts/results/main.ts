// Keeps a profile's results and writes what is made of all of them: scripts/results.mjs compiles and runs it.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { ClaimVerdict } from '../../src/verdicts/claims-file.ts';
import { DIFFERENCE_TITLES } from '../../src/verdicts/verdicts.ts';
import { formatBarePoints, formatBareRange, joinWords } from '../../src/verdicts/words.ts';
import { drawArms } from './draw-arms.ts';
import { describeEpochs, drawEpochs } from './epochs.ts';
import { formatMarkdownTable, isSweep, listEndpoints, listProfiles, readConfig } from './questions.ts';
import { writeSweep } from './sweep.ts';
import { fillTables } from './tables.ts';

/** Sections of a report that are kept. */
const kept = [
  'The question',
  'Width against τ',
  'Use of the time constants',
  'What holds',
  'Results',
  'Time',
  'Settings',
];

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
  const profiles = listProfiles(root);
  const sweeps = profiles.filter((profile) => isSweep(root, profile));
  const runs = profiles.filter((profile) => !sweeps.includes(profile));
  return `${[
    '# Results',
    'What committed runs gave. [The question](question.md) says what it means, [the designs](designs.md) what was fixed before. Profiles that are missing here have not been run yet.',
    '![Differences in accuracy of all arms, with intervals and margins](images/arms.svg)',
    '_Each arm compared with its baseline, for other seeds and people (clips, where the data have no people); bars are 95 % intervals, the margin is shaded. The axis is logarithmic beyond two points._',
    tabulateArms(root),
    '*Direction* means the four classes that differ by direction alone. Verdicts are by [the rule](claims.md#the-question), corrected for the number of arms; intervals are not corrected. A comparison is listed for the profile that has most of its trainings.',
    '## To repeat a part',
    '`python3 scripts/recompute.py results` computes all of it again with SciPy from the answers to each clip. To train a part again and check every digit, take a line of the table:',
    ['```sh', ...commandsOf(root, runs[0]!), '```'].join('\n'),
    'Leave out `REPRO_ISA` where the table says `wasm`; elsewhere a processor needs AVX2. `check` fails on `nmnist`, which was run on a part of its recordings.',
    tabulateRuns(root, runs),
    `Runs at several values of one setting have pages of their own, with the command that repeats them: ${joinWords(sweeps.map((profile) => linkReport(profile, readConfig(root, `profiles/${profile}`).report.title)))}.`,
    describeEpochs(root),
  ].join('\n\n')}\n`;
}

function readFile(root: string, file: string): string {
  return fs.readFileSync(path.join(root, file), 'utf8');
}

/** All arms of all questions, second endpoints below their first, each where most of its trainings are. */
function tabulateArms(root: string): string {
  const rows = listEndpoints(root).flatMap(({ profile, clips, arms }) =>
    arms
      .filter(({ speaker }) => speaker === undefined)
      .map(({ model, baseline, difference, low, high, verdict }) => [
        `\`${profile}\`${clips === null ? '' : ', direction'}`,
        ...[`\`${model}\``, `\`${baseline}\``],
        `${formatBarePoints(difference)} (${formatBareRange({ low: low!, high: high! })})`,
        DIFFERENCE_TITLES[verdict],
      ]),
  );
  const head = ['profile', 'arm', 'compared with', 'points (95 % interval)', 'verdict'];
  return formatMarkdownTable(head, rows, ['---', '---', '---', '---:', '---']);
}

/** What a part of a profile needs: data, models with the baselines of a question, one seed. */
function partOf(root: string, profile: string) {
  const { dataset, models, seeds, report } = readConfig(root, `profiles/${profile}`);
  const { baseline = models[0], against = {} } = report.question ?? {};
  const last = models.at(-1);
  const pair = [...new Set([baseline, against[last] ?? baseline, last])].join(', ');
  const data = dataset.simulated ? null : dataset.name;
  return { data, models: `models=[${pair}]`, seeds: `seeds=[${seeds.at(-1)}]` };
}

function commandsOf(root: string, profile: string): string[] {
  const { data, models, seeds } = partOf(root, profile);
  const part = `--profile ${profile} --set '${models}' --set '${seeds}'`;
  const steps = [`./repro data fetch ${data}`, `./repro run ${part}`, `./repro check ${part}`];
  return ['export REPRO_ISA=avx2', ...steps];
}

function tabulateRuns(root: string, profiles: readonly string[]): string {
  const endpoints = listEndpoints(root);
  const rows = profiles.map((profile) => {
    const { runs } = JSON.parse(readFile(root, `configs/baselines/${profile}.json`));
    // The reports have the rest of it: bytes and compiler.
    const [name, , isa] = runs[0].engine.split(' ');
    const { data, models, seeds } = partOf(root, profile);
    const margins = endpoints.filter((one) => one.profile === profile).map(({ margin }) => 100 * margin);
    const engine = name === 'native' ? `${name}, ${isa}` : name;
    const link = linkReport(profile, `\`${profile}\``);
    const part = `\`${models}\` \`${seeds}\``;
    return [link, data ?? 'simulated', runs.length, margins.join(', '), part, engine];
  });
  const head = ['report', 'data', 'trainings', 'margins', 'a part', 'computed by'];
  return formatMarkdownTable(head, rows, ['---', '---', '---:', '---', '---', '---']);
}

function linkReport(profile: string, text: string): string {
  return `[${text}](../results/${profile}/report.md)`;
}
