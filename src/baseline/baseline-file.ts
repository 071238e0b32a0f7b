import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../errors.ts';
import { type Fields, parseFields } from '../formats/fields.ts';
import { VERDICTS } from '../thesis/verdicts.ts';
import { type Baseline, type FramesFacts, nameRun, type RunFacts } from './baseline.ts';

const version = 1;

/** Where a profile's baseline is, relative to the project. */
export function baselinePathOf(profile: string): string {
  return `configs/baselines/${profile}.json`;
}

const about =
  'What a run of this profile gave, for ./repro check to compare later runs with: docs/check.md. ' +
  'Do not edit it: ./repro baseline update writes it and shows first what changes.';

/** The text of a baseline: keys in a fixed order and a line for each fact and each list, so that git shows and merges changes run by run. */
export function formatBaseline({ profile, dataset, simulated, frames, runs, claims }: Baseline): string {
  const content = {
    about,
    version,
    profile,
    dataset,
    simulated,
    frames,
    runs: runs.map((run) => ({ ...run, settings: sortKeys(run.settings) })),
    claims: sortKeys(claims),
  };
  // Lists without objects in them go on one line.
  const text = JSON.stringify(content, null, 1).replaceAll(
    /\[\n\s*([^[\]{}]*?)\n\s*\]/g,
    (_, values: string) => `[${values.replaceAll(/\n\s*/g, ' ')}]`,
  );
  return `${text}\n`;
}

function sortKeys<T>(values: { readonly [key: string]: T }): { [key: string]: T } {
  return Object.fromEntries(
    Object.keys(values)
      .sort()
      .map((key) => [key, values[key]!]),
  );
}

/**
 * Reads the committed baseline of a profile.
 *
 * @param projectRoot absolute
 * @returns null if there is none
 * @throws {ReproError} `unreadable`, or as `parseBaseline`
 */
export async function readBaseline(projectRoot: string, profile: string): Promise<Baseline | null> {
  const file = baselinePathOf(profile);
  let text: string;
  try {
    text = await readFile(path.join(projectRoot, file), 'utf8');
  } catch (cause) {
    if (hasErrorCode(cause, 'ENOENT')) return null;
    throw new ReproError('unreadable', `cannot be read: ${String(cause)}`, { where: file, cause });
  }
  return parseBaseline(text, profile, file);
}

/**
 * @param file its name in messages
 * @throws {ReproError} `baseline-invalid` naming the field: damaged, of another version or profile, or in contradiction with itself
 */
export function parseBaseline(text: string, profile: string, file: string): Baseline {
  const fix = `Restore it from git, or write it again: ./repro baseline update --profile ${profile}`;
  const fields = parseFields(text, { file, code: 'baseline-invalid', fix });
  const found = fields.count('version');
  if (found !== version) fields.fail('version', `is ${found}, expected ${version}`);
  if (fields.text('profile') !== profile)
    fields.fail('profile', `is "${fields.text('profile')}", but the file is that of profile "${profile}"`);
  const frames = fields.object('frames');
  const claims = fields.object('claims');
  const runs = fields.objects('runs').map(readRun);
  const names = runs.map(nameRun);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) fields.fail('runs', `has ${twice} twice`);
  return {
    profile,
    dataset: fields.text('dataset'),
    simulated: fields.flag('simulated'),
    frames: { train: readFrames(frames.object('train')), test: readFrames(frames.object('test')) },
    runs,
    claims: Object.fromEntries(claims.keys().map((id) => [id, claims.choice(id, VERDICTS)])),
  };
}

function readFrames(fields: Fields): FramesFacts {
  const events = fields.has('events') ? fields.object('events') : null;
  return {
    sha256: fields.text('sha256'),
    list: fields.text('list'),
    clips: fields.count('clips'),
    events: events === null ? null : { off: events.count('off'), on: events.count('on') },
  };
}

function readRun(fields: Fields): RunFacts {
  const optional = (name: string): number | null => (fields.has(name) ? fields.count(name) : null);
  const test = fields.object('test');
  const run: RunFacts = {
    model: fields.text('model'),
    seed: fields.count('seed'),
    engine: fields.text('engine'),
    evaluationEngine: fields.text('evaluationEngine'),
    settings: fields.raw('settings'),
    epochs: fields.count('epochs'),
    chosenEpoch: fields.count('chosenEpoch'),
    preferredEpoch: optional('preferredEpoch'),
    rightInTraining: optional('rightInTraining'),
    neuronSteps: fields.numbers('neuronSteps'),
    firstBatches: fields.objects('firstBatches').map((batch) => ({
      batch: batch.count('batch'),
      loss: batch.number('loss'),
      spikeRates: batch.numbers('spikeRates'),
    })),
    trainLosses: fields.numbers('trainLosses'),
    layers: fields.objects('layers').map((layer) => ({
      epoch: layer.count('epoch'),
      learningRate: layer.number('learningRate'),
      spikeRates: layer.numbers('spikeRates'),
      tauMeans: layer.numbers('tauMeans'),
      tauStds: layer.numbers('tauStds'),
    })),
    test: { clips: test.count('clips'), list: test.text('list'), wrong: test.numbers('wrong') },
  };
  requireConsistent(run, fields, test);
  return run;
}

/** A merge by git may put together what does not belong together. */
function requireConsistent(run: RunFacts, fields: Fields, test: Fields): void {
  const { epochs, chosenEpoch, trainLosses, layers, neuronSteps } = run;
  if (trainLosses.length !== epochs)
    fields.fail('trainLosses', `has ${trainLosses.length} losses for ${epochs} epochs`);
  if (chosenEpoch > epochs) fields.fail('chosenEpoch', `is ${chosenEpoch} of ${epochs}`);
  const keptEpochs = layers.map(({ epoch }) => epoch);
  if (!isAscending(keptEpochs, epochs)) fields.fail('layers', `must be of ascending epochs up to ${epochs}`);
  const values = layers.flatMap(({ spikeRates, tauMeans, tauStds }) => [spikeRates, tauMeans, tauStds]);
  if (values.some(({ length }) => length !== neuronSteps.length)) {
    const problem = `must have ${neuronSteps.length} spike rates, means and deviations of τ in each epoch, as neuronSteps`;
    fields.fail('layers', problem);
  }
  if (!isAscending(run.test.wrong, run.test.clips - 1))
    test.fail('wrong', `must be ascending rows below ${run.test.clips}`);
}

function isAscending(values: readonly number[], last: number): boolean {
  return values.every((value, i) => value > (values[i - 1] ?? -1) && value <= last);
}
