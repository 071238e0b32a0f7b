import { endSentence, formatCount, joinWords } from '../format.ts';
import type { Outcome } from '../outcome.ts';
import type { ModelResult, Results, RunResult } from '../results.ts';
import { listModelDeviations } from '../settings-table.ts';
import { judgeComparability } from '../thesis.ts';
import type { Claim, Claims, Measure } from './claim.ts';
import { judgeAccuracy } from './judge-accuracy.ts';
import { judgeApart } from './judge-apart.ts';
import { judgeDifference } from './judge-difference.ts';
import { judgeSpeed, judgeSpread } from './judge-time-constants.ts';
import { type Finding, type Judgement, judgeSeeds, notApplicable } from './judgement.ts';

/** Judges every claim, in their order. Nothing is judged on simulated recordings or on another data set than the thesis'. */
export function judgeClaims(claims: Claims, results: Results, outcomes: readonly Outcome[]): Judgement[] {
  return claims.claims.map((claim) => ({ claim, ...judgeClaim(claim, claims, results, outcomes) }));
}

function judgeClaim(
  claim: Claim,
  { margin }: Claims,
  results: Results,
  outcomes: readonly Outcome[],
): Finding {
  switch (judgeComparability(results)) {
    case 'simulated':
      return notApplicable('The recordings are simulated.');
    case 'other-dataset':
      return notApplicable('The data set is not that of the thesis.');
    case null:
  }
  const { measure } = claim;
  if (measure.kind === 'clips') return judgeClips(measure, results);
  const names = namesIn(measure);
  const wanted =
    names ??
    results.models.flatMap(({ published }) => (published?.source === 'thesis' ? [published.name] : []));
  const models = wanted.map((name) => results.models.find(({ published }) => published?.name === name));
  const missing = wanted.filter((_, i) => models[i] === undefined);
  if (missing.length > 0 || wanted.length === 0) {
    const what = `This run does not have the model${missing.length === 1 ? '' : 's'} ${joinWords(missing)}`;
    return notApplicable(endSentence(what));
  }
  const obstacle = findObstacle(claim, models as ModelResult[]);
  if (obstacle !== null) return notApplicable(obstacle);
  return judgeMeasure(claim, models as ModelResult[], outcomes, margin);
}

/** The models that a claim is about, the first one first; null for all. */
function namesIn(measure: Exclude<Measure, { kind: 'clips' }>): readonly string[] | null {
  if (measure.kind === 'best-epoch') return null;
  return 'others' in measure ? [measure.model, ...measure.others] : [measure.model];
}

/**
 * Settings that may differ: the clips are a known disagreement, the batch size is one of paper and logs, and whether the epochs suffice is up to
 * each claim.
 */
const MAY_DIFFER: ReadonlySet<string> = new Set([
  'Epochs',
  'Epochs between tests',
  'Batch size',
  'Training clips',
  'Validation clips',
]);

/** Why a claim cannot be judged by this run; null if it can. */
function findObstacle({ epochs, measure }: Claim, models: readonly ModelResult[]): string | null {
  for (const model of models) {
    for (const { label, thesis, used } of listModelDeviations(model)) {
      if (MAY_DIFFER.has(label)) continue;
      return `${model.title} differs from the thesis: ${label.toLowerCase()} ${used} instead of ${thesis}.`;
    }
    if (measure.kind === 'parameters') continue;
    if (needsTau(measure) && model.runs.some(lacksTau))
      return endSentence(`τ is missing in some epochs of ${model.title}`);
    const trained = Math.min(...model.runs.map(({ metrics }) => metrics.epochs.length));
    if (trained < epochs)
      return `It takes ${formatCount(epochs)} epochs to judge this; ${model.title} has ${formatCount(trained)}.`;
    // Such an accuracy is too high, and by how much differs from model to model.
    if (needsChoice(measure) && model.runs.some(({ chosenOn }) => chosenOn === 'test'))
      return `The epoch of ${model.title} was chosen on the test clips, which the accuracy is measured on.`;
  }
  return null;
}

/** Whether a claim is about the chosen epoch. */
function needsChoice(measure: Measure): boolean {
  return measure.kind === 'difference' || (measure.kind === 'accuracy' && measure.epoch === 'chosen');
}

function needsTau({ kind }: Measure): boolean {
  return kind === 'spread' || kind === 'speed' || kind === 'apart';
}

/** As where a training diverged. */
function lacksTau({ metrics }: RunResult): boolean {
  return metrics.layers.some(({ tauMean, tauStd }) => tauMean.includes(null) || tauStd.includes(null));
}

function judgeMeasure(
  claim: Claim,
  models: readonly ModelResult[],
  outcomes: readonly Outcome[],
  margin: number,
): Finding {
  const { measure } = claim;
  const [first, ...others] = models;
  const outcome = outcomes.find(({ model }) => model === first)!;
  switch (measure.kind) {
    case 'accuracy':
      return judgeAccuracy(claim, measure, outcome, margin);
    case 'difference':
      return judgeDifference(first!, others, margin);
    case 'best-epoch':
      return judgeBestEpoch(models, measure.before);
    case 'spread':
      return judgeSpread(first!, measure);
    case 'speed':
      return judgeSpeed(first!, others);
    case 'apart':
      return judgeApart(first!, others, measure);
    case 'parameters':
      return judgeCount(
        first!.runs[0]!.parameters,
        measure.count,
        'parameters',
        'Counted in the network as built.',
      );
    case 'clips':
      throw new RangeError('clips are no property of a model');
  }
}

function judgeClips(
  { split, count }: Extract<Measure, { kind: 'clips' }>,
  { models, manifest }: Results,
): Finding {
  const { clips } = models[0]!.runs[0]!;
  const used = split === 'test' ? clips.test : clips.train + clips.validation;
  const found = manifest[split].clips;
  const reason =
    used === found
      ? 'All clips that the data set has are used.'
      : `The data set has ${formatCount(found)}; the profile or a switch leaves some out.`;
  return judgeCount(used, count, 'clips', reason);
}

function judgeCount(measured: number, published: number, what: string, reason: string): Finding {
  return {
    verdict: measured === published ? 'reproduced' : 'not-reproduced',
    measured: `${formatCount(measured)} ${what}`,
    reason,
  };
}

function judgeBestEpoch(models: readonly ModelResult[], before: number): Finding {
  const seeds = models[0]!.runs.map(({ seed }, i) => {
    const epochs = models.map(({ runs }) => runs[i]!.maximum.test.epoch);
    return {
      seed,
      holds: epochs.every((epoch) => epoch < before),
      measured: models.map(({ title }, j) => `${title} ${formatCount(epochs[j]!)}`).join(', '),
    };
  });
  return judgeSeeds(seeds, 'The epoch of the best test accuracy of each model.');
}
