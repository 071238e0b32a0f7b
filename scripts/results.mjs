// Keeps what a run of a profile gave: in results/<profile>/ the main sections of its report with their figures and values, the answers that
// its question is answered from, and of claims.json the claims that were judged; its baseline in configs/baselines; and docs/results.md with
// its figure, docs/images/arms.svg, which are made of all of them.
//   ./repro run --profile PROFILE && node scripts/results.mjs PROFILE
//   node scripts/results.mjs                      only docs/results.md and its figure

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parse } from 'yaml';
import { runBundled } from '../bench/run-bundled.mjs';

const root = path.resolve(import.meta.dirname, '..');

/** Sections of a report that are kept; docs/results.md has the first sentences of those that answer something. */
const answers = ['Width against τ', 'Use of the time constants'];
const kept = ['The question', ...answers, 'What holds', 'Results', 'Time', 'Settings'];

/** Keeps the report of the last run, which has to be one of this profile. */
function keep(profile) {
  const words = ['baseline', 'update', '--profile', profile];
  execFileSync(process.execPath, ['bin/repro.js', ...words], { cwd: root, stdio: 'inherit' });
  const from = path.join(root, 'artifacts/report');
  const folder = path.join(root, 'results', profile);
  const [head, ...sections] = splitSections(fs.readFileSync(path.join(from, 'report.md'), 'utf8'));
  const report = [head, ...sections.filter(({ title }) => kept.includes(title))]
    .map(({ text }) => text)
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
  const claims = verdicts.claims.filter(({ verdict }) => verdict !== 'not-applicable');
  fs.writeFileSync(path.join(folder, 'claims.json'), `${JSON.stringify({ ...verdicts, claims }, null, 2)}\n`);
}

/** The sections of a page, each with its heading; the first is what stands above them. */
function splitSections(page) {
  return page.split(/^(?=## )/m).map((text) => ({ title: /^## (.*)/.exec(text)?.[1] ?? '', text }));
}

/** The text of docs/results.md. */
export function composePage() {
  const profiles = fs.readdirSync(path.join(root, 'results')).sort();
  return `${[
    '# Results',
    'What committed runs gave, made by `node scripts/results.mjs` from `results/`, so no number here is typed. [designs.md](designs.md) has the designs, [question.md](question.md) ' +
      'what the results mean; the reports linked below have figures, tables and settings. Profiles that are missing here have not been run yet.',
    '![Differences in accuracy of all arms, with intervals and margins](images/arms.svg)',
    '_Each arm beside its baseline, for other seeds and other people (or clips, where the data have no people); bars are 95 % intervals, and the margin is shaded. The axis is linear up to ' +
      'about two points and logarithmic beyond._',
    tabulateArms(profiles),
    'Verdicts are by the rule of [claims.md](claims.md#the-question). `python3 scripts/recompute.py results/arms` computes those of a profile again with SciPy, from `answers.csv`: who got which ' +
      'clip right.',
    ...profiles.map(describeProfile),
  ].join('\n\n')}\n`;
}

/** All arms of all questions, second endpoints below their first. */
function tabulateArms(profiles) {
  const title = (model) => parse(read(`configs/models/${model}.yaml`)).title;
  // Rounded as in the report.
  const points = (share) => {
    const tenths = Math.round(1000 * share);
    return `${tenths < 0 ? '−' : tenths > 0 ? '+' : ''}${(Math.abs(tenths) / 10).toFixed(1)}`;
  };
  const rows = profiles.flatMap((profile) => {
    // The verdicts of a sweep are in its section.
    if (fs.existsSync(path.join(root, `results/${profile}/section.md`))) return [];
    const { question } = JSON.parse(read(`results/${profile}/claims.json`));
    if (question === undefined) return [];
    const { second } = question;
    const endpoints = [
      [`\`${profile}\``, question],
      ...(second ? [[`\`${profile}\`, ${second.text}`, second]] : []),
    ];
    return endpoints.flatMap(([name, { margin, arms }]) =>
      arms.map(({ model, baseline = question.baseline, difference, low, high, verdict }) => {
        const interval = low === null ? '–' : `${points(low)} to ${points(high)}`;
        const compared = [title(model), title(baseline), points(difference), interval];
        return [name, ...compared, points(margin).slice(1), verdict];
      }),
    );
  });
  const head = ['profile', 'arm', 'beside', 'points more accurate', '95 % interval', 'margin', 'verdict'];
  return [head, ['---', '---', '---', '---:', '---:', '---:', '---'], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function describeProfile(profile) {
  // Of several runs, by a script of its own: scripts/sweep.mjs.
  const section = path.join(root, 'results', profile, 'section.md');
  if (fs.existsSync(section)) return fs.readFileSync(section, 'utf8').trim();
  const { dataset, description, models, seeds, report, train, ...profiled } = parse(
    read(`configs/profiles/${profile}.yaml`),
  );
  const { runs, frames } = JSON.parse(read(`configs/baselines/${profile}.json`));
  const engines = [...new Set(runs.map(({ engine }) => engine))].join('; ');
  // A question needs its baselines among the models.
  const { baseline = models[0], against = {} } = report.question ?? {};
  const last = models.at(-1);
  const pair = [...new Set([baseline, against[last] ?? baseline, last])].join(', ');
  const command = `--profile ${profile} --set 'models=[${pair}]' --set 'seeds=[${seeds.at(-1)}]'`;
  const { files = [], published, classes } = parse(read(`configs/datasets/${dataset.name}.yaml`));
  const fetch = !dataset.simulated && files.length > 0 ? `./repro data fetch ${dataset.name}` : undefined;
  // A check would find other frames in all of them.
  const { limit } = profiled.frames;
  const all = limit === undefined ? published.train : limit.train * classes.length;
  const isPart = !dataset.simulated && frames.train.clips < all;
  const [training, test] = [frames.train, frames.test].map(({ clips }) => clips.toLocaleString('en'));
  const computed = isPart
    ? `Computed by \`${engines}\` on ${training} training and ${test} test clips that were at hand: \`./repro check\` fails on any others. This repeats a part of it with one seed:`
    : `Computed by \`${engines}\`. This repeats a part of it with one seed, and checks it: every digit on an engine with the same arithmetic${train.engine === 'wasm' ? ', as WebAssembly has everywhere' : engines.includes('avx2') ? ' (with AVX-512, set `REPRO_ISA=avx2`)' : ''}, else within [tolerances](check.md#the-rules-and-how-sure-they-are):`;
  const commands = [fetch, `./repro run ${command}`, isPart ? undefined : `./repro check ${command}`];
  return [
    `## ${report.title}`,
    description.trim(),
    ...answersOf(read(`results/${profile}/report.md`), report.question?.text),
    computed,
    ['```sh', commands.filter((one) => one !== undefined).join(' && '), '```'].join('\n'),
    `More of the report: [results/${profile}/report.md](../results/${profile}/report.md).`,
  ].join('\n\n');
}

/**
 * The answers of a kept report: question, verdicts and design at its top, and what begins the sections that answer something.
 *
 * @param question undefined if the run asks none
 */
export function answersOf(report, question) {
  const [head, ...sections] = splitSections(report);
  const paragraphs = head.text.trim().split('\n\n');
  const from = paragraphs.indexOf(question);
  // The run at a glance, a list, follows the answer.
  const to = paragraphs.findIndex((part, at) => at > from && /^(?:- |\*\*What would change)/.test(part));
  return [
    ...(from === -1 ? [] : paragraphs.slice(from, to)),
    ...sections
      .filter(({ title }) => answers.includes(title))
      .flatMap(({ text }) => text.split('\n\n').find((part) => part.startsWith('**')) ?? []),
  ];
}

function read(file) {
  return fs.readFileSync(path.join(root, file), 'utf8');
}

if (import.meta.filename === fs.realpathSync(process.argv[1] ?? root)) {
  const [profile] = process.argv.slice(2);
  if (profile !== undefined) keep(profile);
  fs.writeFileSync(path.join(root, 'docs/results.md'), composePage());
  await runBundled(['scripts/draw-arms.ts'], () => ({ root }));
}
