import path from 'node:path';
import { ReproError } from '../errors.ts';
import { Fields } from '../formats/fields.ts';
import { isJsonObject, type Json, type JsonObject } from '../schema/json.ts';
import { JsonSchema } from '../schema/json-schema.ts';
import { throwProblems } from '../schema/problems.ts';
import { checkSchema } from '../schema/schema-problems.ts';
import { parseYaml, readTextFile } from '../schema/yaml-document.ts';
import { VERDICTS, type Verdict } from '../thesis/verdicts.ts';
import {
  type Baseline,
  baselinePathOf,
  type FramesFacts,
  type LayerFacts,
  nameRun,
  type RunFacts,
} from './baseline.ts';

/**
 * Reads and checks the committed baseline of a profile.
 *
 * @param projectRoot absolute
 * @returns null if there is none
 * @throws {ReproError} with file, line and column, if it is no baseline of this profile, contradicts itself, or has conflicts of a merge
 */
export async function readBaseline(projectRoot: string, profile: string): Promise<Baseline | null> {
  const file = baselinePathOf(profile);
  let text: string;
  try {
    text = readTextFile(path.join(projectRoot, file), file);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  return parseBaseline(text, profile, file);
}

/** @param file its name in messages */
export async function parseBaseline(text: string, profile: string, file: string): Promise<Baseline> {
  if (/^<{7} /m.test(text) && /^>{7} /m.test(text)) {
    throw new ReproError('baseline-invalid', 'has conflicts of a merge.', {
      where: file,
      fix: rewrite(profile),
    });
  }
  const document = await parseYaml(text, file, rewrite(profile));
  const { default: definition } = await import('../../schemas/baseline.schema.json', {
    with: { type: 'json' },
  });
  throwProblems(
    await checkSchema(new JsonSchema(definition as Json as JsonObject, 'schemas/baseline.schema.json'), {
      value: document.value,
      place: (at, part) => document.positionOf(at, part),
    }),
  );
  const fields = new Fields({ file, code: 'baseline-invalid', fix: rewrite(profile) }, document.value);
  const found = fields.text('profile');
  if (found !== profile)
    fields.fail('profile', `is "${found}", but the file is that of profile "${profile}"`);
  const runs = fields.objects('runs').map((run) => readRun(run));
  const frames = fields.object('frames');
  const baseline: Baseline = {
    profile,
    dataset: fields.text('dataset'),
    simulated: fields.flag('simulated'),
    frames: { train: readFrames(frames.object('train')), test: readFrames(frames.object('test')) },
    runs,
    claims: readClaims(fields.object('claims')),
  };
  const names = runs.map(nameRun);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) fields.fail('runs', `has ${twice} twice`);
  return baseline;
}

/** The remedy for a baseline that cannot be used. */
function rewrite(profile: string): string {
  return `Restore it from git, or write it anew: ./repro baseline update --profile ${profile}`;
}

function readClaims(fields: Fields): { [id: string]: Verdict } {
  return Object.fromEntries(fields.keys().map((id) => [id, fields.choice(id, VERDICTS)]));
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
  const test = fields.object('test');
  const run: RunFacts = {
    model: fields.text('model'),
    seed: fields.count('seed'),
    engine: fields.text('engine'),
    evaluationEngine: fields.text('evaluationEngine'),
    settings: fields.raw('settings') as JsonObject,
    epochs: fields.count('epochs'),
    chosenEpoch: fields.count('chosenEpoch'),
    preferredEpoch: fields.has('preferredEpoch') ? fields.count('preferredEpoch') : null,
    rightInTraining: fields.has('rightInTraining') ? fields.count('rightInTraining') : null,
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
  const { epochs, trainLosses, layers } = run;
  if (trainLosses.length !== epochs)
    fields.fail('trainLosses', `has ${trainLosses.length} losses for ${epochs} epochs`);
  if (run.chosenEpoch > epochs) fields.fail('chosenEpoch', `is ${run.chosenEpoch} of ${epochs}`);
  if (
    !isAscending(
      layers.map(({ epoch }) => epoch),
      epochs,
    )
  ) {
    fields.fail('layers', `must be of ascending epochs up to ${epochs}`);
  }
  const width = run.neuronSteps.length;
  const isWrong = ({ spikeRates, tauMeans, tauStds }: LayerFacts) =>
    [spikeRates, tauMeans, tauStds].some(({ length }) => length !== width);
  if (layers.some(isWrong)) {
    fields.fail(
      'layers',
      `must have ${width} spike rates, means and deviations of τ in each epoch, as neuronSteps`,
    );
  }
  if (!isAscending(run.test.wrong, run.test.clips - 1)) {
    test.fail('wrong', `must be ascending rows below ${run.test.clips}`);
  }
  return run;
}

function isAscending(values: readonly number[], last: number): boolean {
  return values.every((value, i) => value > (values[i - 1] ?? -1) && value <= last);
}

function isMissing(error: unknown): boolean {
  const cause = error instanceof ReproError ? error.cause : error;
  return isJsonObject(cause as Json) ? (cause as { code?: unknown }).code === 'ENOENT' : false;
}
