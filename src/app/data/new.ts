import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { stringify } from 'yaml';
import { ReproError } from '../../base/errors.ts';
import { writeFileAtomic } from '../../base/files/atomic-file.ts';
import { isBelow } from '../../base/files/folders.ts';
import { quoteWords } from '../../base/files/shell-words.ts';
import { escapeControls, formatCount, listSome } from '../../base/text.ts';
import { showPath } from '../../data/contract/how-to-get.ts';
import { type Inspection, inspectRecordings } from '../../data/samples/inspect.ts';
import { DATASETS_FOLDER } from '../../results/dataset-facts.ts';
import { escapeReferences } from '../../runner/plan/profile-settings.ts';
import { ProjectPaths } from '../../runner/plan/project-paths.ts';
import { findProjectRoot } from '../project/load-plan.ts';
import { showWork } from '../view/open-view.ts';
import { alignTopics, printResult, printWarning } from '../view/print.ts';

interface NewOptions {
  readonly name?: string;
  readonly title?: string;
  readonly sensor?: string;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly project?: string;
}

/** Only files with this line are ever replaced: not the project's own files, nor files written by hand. */
const MARK = '# Written by `repro data new`, which replaces this file only with --force.';

/** Fewer recordings are read in a moment. */
const SHOWN_FROM = 500;
const SHOWN_WARNINGS = 3;

/** `repro data new FOLDER`: writes the file of a data set, and a profile that trains on it. */
export async function newDataset(folder: string, options: NewOptions): Promise<void> {
  const project = findProjectRoot(options.project ?? process.cwd());
  const root = path.resolve(folder);
  const name = nameDataset(
    options.name ??
      path
        .basename(root)
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '-'),
  );
  const files = [`${DATASETS_FOLDER}/${name}.yaml`, `configs/profiles/${name}.yaml`] as const;
  for (const file of files) refuseExisting(project, file, options.force === true);
  const title = options.title ?? path.basename(root);
  const sensor = readSensor(options.sensor);
  const found = await inspect(root, { name, title, root: nameRoot(project, root), sensor });
  const training = chooseTraining(found);
  await writeFileAtomic(path.join(project, files[0]), writeFacts(found));
  await writeFileAtomic(path.join(project, files[1]), writeProfile(found, training));
  const { facts, warnings, first } = found;
  for (const warning of warnings.slice(0, SHOWN_WARNINGS)) printWarning(warning);
  const more = warnings.length - SHOWN_WARNINGS;
  if (more > 0) printWarning(`${formatCount(more, 'more warning')}: ./repro data verify ${name}`);
  printResult(options, 'data new', { ...found, training, files }, () => [
    ...alignTopics(describeGuesses(found, training)),
    '',
    'Correct what is wrong in these two files:',
    ...files.map((file) => `  ${file}`),
    'Then:',
    `  ./repro data show ${quoteWords([facts.name, first])}`,
    `  ./repro run --profile ${facts.profile}`,
  ]);
}

function nameDataset(wanted: string): string {
  const name = wanted.replace(/^-+|-+$/g, '');
  if (/^[a-z0-9][a-z0-9-]*$/.test(name)) return name;
  const fix = 'Use lower case letters, digits and hyphens: --name my-recordings';
  throw new ReproError('usage', `a data set cannot have the name "${wanted}".`, { fix });
}

function readSensor(text: string | undefined) {
  if (text === undefined) return undefined;
  const [, width, height] = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(text) ?? [];
  if (width !== undefined) return { width: Number(width), height: Number(height) };
  const fix = 'Give width and height in pixels: --sensor 128x128';
  throw new ReproError('usage', `"${text}" is not the size of a sensor.`, { fix });
}

/** The folder as `dataset.root` of a profile. @throws {ReproError} `data-new-folder` if a profile cannot name it */
function nameRoot(project: string, root: string): string {
  const relative = path.relative(project, root);
  // A profile reads `~` as the home folder, and a blank path as none.
  const inside = /^(~|\s*$)/.test(relative) ? `./${relative}` : relative;
  const written = isBelow(root, project) ? inside : root;
  const checked = new ProjectPaths(project).check(written, { external: true });
  if ('path' in checked) return written;
  throw new ReproError('data-new-folder', `a profile cannot name this folder: it ${checked.fault.message}`, {
    where: escapeControls(showPath(root)),
    fix: 'Rename or move the folder, then run the same command again.',
  });
}

function refuseExisting(project: string, file: string, force: boolean): void {
  const target = path.join(project, file);
  if (!existsSync(target)) return;
  const isOurs = readFileSync(target, 'utf8').includes(MARK);
  if (isOurs && force) return;
  const fix = `Choose another name: --name my-recordings${isOurs ? '; or replace it: --force' : ''}`;
  throw new ReproError('output-exists', 'this file already exists.', { where: file, fix });
}

async function inspect(root: string, about: Parameters<typeof inspectRecordings>[1]): Promise<Inspection> {
  let view: Awaited<ReturnType<typeof showWork>> | undefined;
  try {
    return await inspectRecordings(root, about, async (done, total) => {
      if (total < SHOWN_FROM) return;
      view ??= await showWork('data new', about.title);
      view.progress({ done, total, unit: 'recordings' });
      if (done === total) view.finish();
    });
  } finally {
    view?.close();
  }
}

type Training = ReturnType<typeof chooseTraining>;

/** What a CPU trains in minutes, as in the profiles `quick` and `nmnist`. */
function chooseTraining({ facts: { sensor, published, samples }, clips, people, longestUs }: Inspection) {
  const divisors = [1, 2, 4, 8, 16].filter((by) => sensor.width % by === 0 && sensor.height % by === 0);
  const fits = (by: number) => Math.max(sensor.width, sensor.height) / by <= 48;
  const downsample = divisors.find(fits) ?? divisors.at(-1)!;
  const frame = { width: sensor.width / downsample, height: sensor.height / downsample };
  // Each layer halves the frame, to at least 4 pixels: with fewer, too few spikes reach the output.
  const layers = Math.floor(Math.log2(Math.min(frame.width, frame.height) / 4));
  const isSmall = published.train < 500;
  const fewest = Math.min(...Object.values(clips.train));
  const isRow = sensor.height === 1;
  const network = { channels: 32, layers: Math.max(1, Math.min(5, layers)), hidden: 128 };
  return {
    ...(isRow ? frameRow(longestUs, samples[0]?.reader === 'wav') : { steps: 10, durationUs: undefined }),
    ...{ downsample, frame, network: isRow ? { layers: 0, hidden: 128, dropout: 0 } : network },
    seeds: isSmall ? [2020, 2021, 2022] : [2020, 2021],
    epochs: isSmall ? 30 : isRow ? 20 : 16,
    batchSize: Math.min(published.train < 64 ? 4 : isRow && !isSmall ? 32 : 8, published.train),
    learningRate: isRow ? (isSmall ? 0.01 : 0.03) : isSmall ? 0.005 : 0.001,
    // At least one person, or one clip of each class, where three stay to train on.
    ...(people >= 4 ? { validation: 'users' } : {}),
    validationShare: people >= 4 || fewest >= 7 ? 0.15 : fewest >= 4 ? 0.25 : 0,
  };
}

/** Some 50 frames for the longest clip; of sound, each of 20 ms, or longer if that would be more than 100. */
function frameRow(longestUs: number, isSound: boolean) {
  const durationUs = Math.max(isSound ? 20_000 : 1, Math.ceil(longestUs / (isSound ? 100 : 50)));
  return { steps: Math.max(10, 10 * Math.ceil(longestUs / durationUs / 10)), durationUs };
}

function flow(value: unknown): string {
  // On one line: a text block, or quotes over several lines, would need the indentation of its place.
  const oneLine = { blockQuote: false, singleQuote: false, doubleQuotedMinMultiLineLength: 1e9 };
  const text = stringify(value, { collectionStyle: 'flow', lineWidth: 0, ...oneLine }).replace(/\n$/, '');
  return Array.isArray(value) ? text.replace(/^\[ (.*) \]$/, '[$1]') : text;
}

function writeFacts({ facts, sensorFrom, splitFrom }: Inspection): string {
  const { title, summary, classes, sensor, published, licence, citation, root, profile, layout } = facts;
  return `# yaml-language-server: $schema=../../schemas/dataset.schema.json
${MARK}
title: ${flow(title)}
summary: ${flow(summary)}
# In the order of the labels.
classes: ${flow(classes)}
# A guess: ${sensorFrom}.
sensor: ${flow(sensor)}
# Counted now: if there are others later, that is a warning.
published: ${flow(published)}
licence: ${licence}
citation: ${citation}
root: ${flow(root)}
profile: ${flow(profile)}
layout: ${layout}
${facts.audio === undefined ? '' : `# How sound becomes events. The default of highHz, 7,600, is too high for the sample rate.\naudio: ${flow(facts.audio)}\n`}# How names are built, and what reads these files. For npy: the columns of an array without names, and timeUnit: us, ms or s.
samples:
${facts.samples.map((files) => `  - ${flow(files)}`).join('\n')}
${facts.users === undefined ? '' : `# What {user} stands for.\nusers: ${flow(facts.users)}\n`}# A guess: ${splitFrom}.
split: ${flow(facts.split)}
`;
}

function writeProfile({ facts }: Inspection, training: Training): string {
  const { name, summary } = facts;
  const [title, root] = [facts.title, facts.root].map(escapeReferences);
  const { steps, frame, durationUs, validation, network, epochs } = training;
  return `# yaml-language-server: $schema=../../schemas/profile.schema.json
${MARK}
description: ${flow(`${title}: ${summary}`)}

dataset: ${flow({ name, simulated: false, root, ...(validation && { validation }) })}

# All numbers from here on are guesses. If accuracy is low, change first train.epochs (with cosineHalfPeriod), then frames.steps, then
# train.learningRate. A clip becomes ${steps} frames of ${frame.width} x ${frame.height}.
frames:
  steps: ${steps}
  ${durationUs === undefined ? 'splitBy: number' : `splitBy: duration\n  durationUs: ${durationUs}`}
  downsample: ${training.downsample}

# One learned τ per layer, τ fixed at 2, one learned τ per neuron.
models: [baseline, lif, no-reg]
seeds: ${flow(training.seeds)}
${durationUs === undefined ? '' : 'memory: 1G\n'}
train:
  engine: auto
  epochs: ${epochs}
  batchSize: ${training.batchSize}
  learningRate: ${training.learningRate}
  cosineHalfPeriod: ${epochs}
  # ${validation ? 'This share of the people in training, at least one of them, chooses the epoch.' : "This share of each class's training clips chooses the epoch. With 0, for very few clips, the last one counts."}
  validationShare: ${training.validationShare}
  network: ${flow(network)}

evaluate: { engine: auto, batchSize: 16 }
report: ${flow({ title })}
`;
}

function describeGuesses(found: Inspection, training: Training): (readonly [topic: string, text: string])[] {
  const { clips, users, medianUs, unused } = found;
  const { classes, sensor, published, samples, audio } = found.facts;
  const upTo = audio === undefined ? '' : `, up to ${audio.highHz} Hz`;
  const counts = classes.map((name) => `${name} ${clips.train[name]} + ${clips.test[name]}`);
  const npy = samples.find(({ reader }) => reader === 'npy');
  const unit = npy === undefined ? '' : `, if times are in ${npy.timeUnit ?? 'us'}`;
  const doubt = medianUs < 1e3 || medianUs > 60e6 ? ': is that right?' : '';
  const { steps, frame, durationUs, network, seeds, epochs } = training;
  const layers =
    'channels' in network
      ? `${formatCount(network.layers, 'layer')} of ${network.channels} channels`
      : `${durationUs! / 1000} ms each, ${network.hidden} hidden neurons`;
  const layout = `${steps} frames of ${frame.width} x ${frame.height}, ${layers}`;
  return [
    ...samples.map(({ names, reader, columns }) => {
      const order = columns === undefined ? '' : `, columns ${columns.join(', ')}`;
      return ['names', `${names}, read as ${reader}${order}`] as const;
    }),
    ['classes', `${classes.length} (training + test): ${counts.join(', ')}`],
    ...(users.length === 0 ? [] : [['users', `${users.length}: ${listSome(users)}`] as const]),
    ['sensor', `${sensor.width} x ${sensor.height}, ${found.sensorFrom}${upTo}`],
    ['split', `${published.train} + ${published.test}, ${found.splitFrom}`],
    ['length', `${(medianUs / 1e6).toPrecision(3)} s, the median of all clips${unit}${doubt}`],
    ['network', `${layout}; 3 models x ${seeds.length} seeds, ${epochs} epochs`],
    ...(unused.length === 0 ? [] : [['not used', listSome(unused)] as const]),
  ];
}
