import { isObject } from '../../base/files/shape.ts';
import {
  fangSettings,
  hasFolds,
  type PublishedSettings,
  publishedSettings,
  THESIS,
} from '../../results/thesis/published.ts';
import { type Finding, notApplicable } from '../../verdicts/findings.ts';
import {
  endSentence,
  formatPoints,
  formatShare,
  groupDigits,
  joinWords,
  lowerFirst,
} from '../../verdicts/words.ts';
import { lateAccuracy } from '../data/epochs.ts';
import type { Outcome } from '../data/outcome.ts';
import type { ModelResult, Results, RunResult } from '../data/results.ts';
import { listModelDeviations, nameSwitched } from '../data/settings.ts';
import { type Claim, type Measure, type MeasureOf, modelsOf, type NetworkKey } from './claim.ts';
import {
  judgeAlike,
  judgeApart,
  judgeOvershoot,
  judgeRange,
  judgeSpeed,
  judgeSpread,
  judgeSteady,
} from './judge-time-constants.ts';
import {
  describePublishedAccuracy,
  type Judgement,
  judgeAccuracy,
  judgeOthers,
  judgeSeeds,
  OTHER_DATA,
} from './judgement.ts';

/** Judges every claim, in their order. Nothing is judged on simulated recordings or on another data set than the claim's. */
export function judgeClaims(
  claims: readonly Claim[],
  results: Results,
  outcomes: readonly Outcome[],
): Judgement[] {
  return claims.map((claim) => ({ claim, ...judgeClaim(claim, claims, results, outcomes) }));
}

function judgeClaim(
  claim: Claim,
  claims: readonly Claim[],
  results: Results,
  outcomes: readonly Outcome[],
): Finding {
  if (results.simulated) return notApplicable('The recordings are simulated.');
  if (claim.dataset !== results.dataset.name) return notApplicable(OTHER_DATA);
  const { measure } = claim;
  if (hasFolds(results) && ['clips', 'difference', 'below'].includes(measure.kind))
    return notApplicable('Each seed tests other people (dataset.folds), not the official test clips.');
  if (measure.kind === 'clips') return judgeClips(measure, results);
  if (measure.kind === 'untestable') return notApplicable(`No run can test this: ${measure.because}`);
  const wanted =
    modelsOf(measure) ??
    results.models.flatMap(({ published }) => (published?.source === 'thesis' ? [published.name] : []));
  const network = measure.kind === 'accuracy' ? measure.network : undefined;
  const models = wanted.map((name) => findModel(results, name, network));
  const missing = wanted.filter((_, i) => models[i] === undefined);
  if (missing.length > 0 || wanted.length === 0) {
    const what = `This run does not have the model${missing.length === 1 ? '' : 's'} ${joinWords(missing)}`;
    return notApplicable(endSentence(what));
  }
  const known = models.flatMap((model) => (model === undefined ? [] : [model]));
  const obstacle = findObstacle(claim, known, results);
  if (obstacle !== null) return notApplicable(obstacle);
  const finding = judgeMeasure(claim, claims, known, outcomes);
  const reductions = listReductions(claim, known, results);
  const judged = reductions.length === 0 ? finding : atReducedScale(claim, finding, reductions);
  if (judged.verdict === 'not-applicable' || measure.kind === 'parameters') return judged;
  return { ...judged, reason: judged.reason + nameSwitches({ ...results, models: known }) };
}

/** By its published name; a model without one, as on data sets that the thesis did not use, by its network. */
function findModel({ models }: Results, name: string, key: NetworkKey | undefined): ModelResult | undefined {
  const named = models.find(({ published }) => published?.name === name);
  if (named !== undefined || key === undefined) return named;
  return models.find(({ published, runs }) => {
    const network = runs[0]?.network;
    if (published !== null || network === undefined) return false;
    const { neuron, pooling, tau } = network;
    const isSame = neuron === key.neuron && pooling === key.pooling;
    return isSame && isObject(tau) && tau.per === 'layer' && tau.mean === key.tau;
  });
}

/** Settings on which paper, code and logs disagree, or for which a claim has its own rule. */
const MAY_DIFFER: ReadonlySet<string> = new Set([
  'Epochs',
  'Epochs between tests',
  'Batch size',
  'Training clips',
  'Validation clips',
]);

const TESTS = 'Test clips';
const RATE = 'Learning rate';

/** Settings that are only sizes of the network or its data. Below the published value, a run is at reduced scale. */
const SCALES: ReadonlySet<string> = new Set([
  'Time steps per clip',
  'Frame size, pixels',
  'Convolutional layers',
  'Channels per layer',
  'Width of the hidden layer',
  'Outputs per class',
  // A short training needs a short schedule.
  'Half-period of the cosine schedule (T_max), epochs',
  TESTS,
  RATE, // A short training needs a higher one.
]);

/** Why this run cannot be judged by a claim; null if it can. */
function findObstacle(claim: Claim, models: readonly ModelResult[], results: Results): string | null {
  const { measure, requires } = claim;
  for (const model of models) {
    for (const { label, thesis, used, isSmaller } of listModelDeviations(
      model,
      settingsOf(claim, model, results),
    )) {
      const isShort = model.runs.every(({ metrics }) => metrics.epochs.length < requires.epochs);
      const isScale = label === RATE ? isShort : isSmaller || (label === TESTS && hasFolds(results));
      if (MAY_DIFFER.has(label) || (SCALES.has(label) && isScale)) continue;
      return `${model.title} differs from the published settings: ${lowerFirst(label)} ${used} instead of ${thesis}.`;
    }
    if (measure.kind === 'parameters') continue;
    if (needsTau(measure) && model.runs.some(lacksTau))
      return endSentence(`τ is missing in some epochs of ${model.title}`);
    if ('layer' in measure && model.runs.some(({ layers }) => layers[measure.layer] === undefined))
      return `The networks have no spiking layer ${measure.layer + 1}.`;
    const chosenOn = model.runs.map((run) => run.chosenOn);
    // Such an accuracy is too high, by an amount that differs from model to model.
    if (needsChoice(measure) && chosenOn.includes('test'))
      return `The epoch of ${model.title} was chosen on the test clips, on which the accuracy is measured.`;
    if (requires.selection === 'validation' && chosenOn.some((clips) => clips !== 'validation'))
      return `The epoch of ${model.title} was not chosen on validation clips, unlike the epoch of the published accuracy.`;
    if (requires.selection === 'best-test' && chosenOn.some((clips) => clips !== 'test'))
      return `The epoch of ${model.title} was not chosen on the test clips (compat.selection: best-test), unlike the epoch of the published accuracy.`;
  }
  return null;
}

/** Whether a claim is about the chosen epoch. */
function needsChoice(measure: Measure): boolean {
  return ['difference', 'below'].includes(measure.kind) || ('epoch' in measure && measure.epoch === 'chosen');
}

function needsTau({ kind }: Measure): boolean {
  return ['spread', 'speed', 'apart', 'alike', 'overshoot', 'steady', 'range'].includes(kind);
}

/** As where a training diverged. */
function lacksTau({ metrics }: RunResult): boolean {
  return metrics.layers.some(({ tauMean, tauStd }) => tauMean.includes(null) || tauStd.includes(null));
}

/** What is smaller than in the published run: network, epochs, clips; or that other people are tested. */
function listReductions(claim: Claim, models: readonly ModelResult[], results: Results): string[] {
  const found = models.flatMap((model) => {
    const smaller = listModelDeviations(model, settingsOf(claim, model, results))
      .filter(({ label }) => SCALES.has(label) && (label !== TESTS || !hasFolds(results)))
      .map(({ label, thesis, used }) => `${lowerFirst(label)} ${used} instead of ${thesis}`);
    if (claim.measure.kind === 'parameters') return smaller;
    const { epochs } = claim.requires;
    const trained = Math.min(...model.runs.map(({ metrics }) => metrics.epochs.length));
    const clips = Math.min(...model.runs.map((run) => run.clips.train + run.clips.validation));
    const all = fewestTrainingClips(results);
    return [
      ...smaller,
      ...(hasFolds(results) ? ['folds of users instead of the official test users'] : []),
      ...(trained < epochs
        ? [`epochs ${groupDigits(trained)} instead of at least ${groupDigits(epochs)}`]
        : []),
      ...(clips < all
        ? [`training and validation clips ${groupDigits(clips)} instead of ${groupDigits(all)}`]
        : []),
    ];
  });
  return [...new Set(found)];
}

/** How many clips a run must train and validate on to use the whole data set; for the thesis' own, as many as the published runs. */
function fewestTrainingClips({ dataset, manifest }: Results): number {
  const { train, validation } = THESIS.clips;
  return dataset.name === THESIS.dataset ? train + validation : manifest.splits.train.clips;
}

/** Settings other than the defaults, for the reader to weigh. The choice of the epoch has its own rules. */
function nameSwitches(results: Results): string {
  const switched = nameSwitched(results).filter((one) => !one.startsWith('selection='));
  const every = results.models.flatMap(({ runs }) => runs.map(({ training }) => training.testEvery));
  const steps = [...new Set(every)].filter((step) => typeof step === 'number' && step > 1);
  return [
    ...(switched.length === 0 ? [] : [` Compatibility switches: ${switched.join(', ')}.`]),
    ...(steps.length === 0 ? [] : [` Only one of ${steps.join(' or ')} epochs was tested.`]),
  ].join('');
}

/** The result beside the published one: a run this small neither confirms nor refutes it. */
function atReducedScale({ published }: Claim, finding: Finding, reductions: readonly string[]): Finding {
  if (finding.verdict === 'not-applicable') return finding;
  const beside = published === null ? '' : ` Published: ${describePublishedAccuracy(published)}.`;
  return {
    verdict: 'reduced-scale',
    measured: finding.measured,
    reason: `Smaller than the published run: ${reductions.join('; ')}.${beside}`,
  };
}

function judgeMeasure(
  claim: Claim,
  claims: readonly Claim[],
  models: readonly ModelResult[],
  outcomes: readonly Outcome[],
): Finding {
  const { measure } = claim;
  const [first, ...others] = models;
  const outcome = outcomes.find(({ model }) => model === first)!;
  switch (measure.kind) {
    case 'accuracy':
      return judgeAccuracy(claim, measure, outcome, listRivals(claim, measure, claims));
    case 'difference':
      return judgeOthers('equal', first!, others, measure.margin);
    case 'below':
      return judgeOthers('more', first!, others, 0);
    case 'best-epoch':
      return judgeBestEpoch(models, measure.before);
    case 'final':
      return judgeFinal(models, measure);
    case 'spread':
      return judgeSpread(first!, measure);
    case 'speed':
      return judgeSpeed(first!, others, measure.of);
    case 'alike':
      return judgeAlike(first!, others);
    case 'apart':
      return judgeApart(first!, others, measure);
    case 'overshoot':
      return judgeOvershoot(first!, measure);
    case 'steady':
      return judgeSteady(first!, others, measure.layer);
    case 'range':
      return judgeRange(models, measure);
    case 'parameters':
      return judgeCount(first!.runs[0]!.parameters, measure.count, 'parameters', AS_BUILT);
    case 'clips':
    case 'untestable':
      throw new RangeError(`${measure.kind} says nothing of a model`);
  }
}

const AS_BUILT = 'Counted in the network as built.';

function listRivals(claim: Claim, { split }: MeasureOf<'accuracy'>, claims: readonly Claim[]): Claim[] {
  return claims.filter(
    ({ id, dataset, measure }) =>
      id !== claim.id && dataset === claim.dataset && measure.kind === 'accuracy' && measure.split === split,
  );
}

function judgeClips({ splits, count }: MeasureOf<'clips'>, { models, manifest }: Results): Finding {
  const { clips } = models[0]!.runs[0]!;
  const sum = (counts: readonly number[]) => counts.reduce((all, one) => all + one, 0);
  const used = sum(splits.map((split) => clips[split]));
  // Validation clips come from the training recordings.
  const parts = new Set(splits.map((split) => (split === 'test' ? 'test' : 'train')));
  const available = sum([...parts].map((part) => manifest.splits[part].clips));
  const taken = sum(
    [...parts].map((part) => (part === 'test' ? clips.test : clips.train + clips.validation)),
  );
  const reason =
    taken === available
      ? 'All clips of the data set are used.'
      : `The data set has ${groupDigits(available)}; the profile or a switch leaves some out.`;
  const judged = judgeCount(used, count, 'clips', reason);
  return used < Math.min(count, available) ? { ...judged, verdict: 'reduced-scale' } : judged;
}

function judgeCount(measured: number, published: number, what: string, reason: string): Finding {
  return {
    verdict: measured === published ? 'reproduced' : 'not-reproduced',
    measured: `${groupDigits(measured)} ${what}`,
    reason,
  };
}

/** Whether no model has its best test accuracy, or has it again, after the first epochs. */
function judgeBestEpoch(models: readonly ModelResult[], before: number): Finding {
  const seeds = models[0]!.runs.map(({ seed }, i) => {
    const found = models.map(({ title, runs }) => {
      const { epochs, accuracy } = runs[i]!.metrics;
      const best = Math.max(...accuracy.test.map((value) => value ?? Number.NEGATIVE_INFINITY));
      const [first, last] = [accuracy.test.indexOf(best), accuracy.test.lastIndexOf(best)].map(
        (at) => epochs[at] ?? Number.POSITIVE_INFINITY,
      ) as [number, number];
      const again = last > first ? `, again up to ${groupDigits(last)}` : '';
      return { last, text: `${title} ${groupDigits(first)}${again}` };
    });
    return {
      seed,
      holds: found.every(({ last }) => last < before),
      measured: found.map(({ text }) => text).join('; '),
    };
  });
  return judgeSeeds(seeds, 'The first and the last epoch with the best test accuracy of each model.');
}

/** The test accuracies at the end of the training, averaged over epochs, are close to each other. */
function judgeFinal(models: readonly ModelResult[], { margin, last }: MeasureOf<'final'>): Finding {
  const clips = models[0]!.runs[0]!.test.clips;
  const seeds = models[0]!.runs.map(({ seed }, i) => {
    const means = models.map(({ runs }) => lateAccuracy(runs[i]!, last)?.mean ?? Number.NaN);
    return {
      seed,
      holds: Math.max(...means) - Math.min(...means) <= margin / clips,
      measured: models.map(({ title }, j) => `${title} ${formatShare(means[j]!)}`).join(', '),
    };
  });
  return judgeSeeds(
    seeds,
    `The mean test accuracy over the last ${groupDigits(last)} epochs. This holds if no two models differ by more than ${margin} of ${groupDigits(clips)} clips (${formatPoints(margin / clips, false)}).`,
  );
}

/** The settings of the training whose results a claim states. */
function settingsOf(claim: Claim, model: ModelResult, { dataset }: Results): PublishedSettings {
  const { measure, published, requires } = claim;
  const settings =
    measure.kind === 'accuracy' && measure.network !== undefined
      ? fangSettings(dataset, measure.network, published?.clips ?? 0, requires.validationShare !== 0)
      : publishedSettings(model);
  const validationShare = requires.validationShare ?? settings.train.validationShare;
  return validationShare === undefined
    ? settings
    : { ...settings, train: { ...settings.train, validationShare } };
}
