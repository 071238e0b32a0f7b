import type { Json } from '../schema/json.ts';
import type { Baseline, FramesFacts, RunFacts } from './baseline.ts';

/** Columns of a line; longer lists are wrapped. */
const width = 110;

/**
 * The text of a baseline: keys in a fixed order, one fact a line, long lists wrapped, so that git shows and merges changes run by run.
 * Strings are quoted as in JSON, which YAML understands.
 */
export function formatBaseline(baseline: Baseline): string {
  const { profile, dataset, simulated, frames, runs, claims } = baseline;
  return [
    '# yaml-language-server: $schema=../../schemas/baseline.schema.json',
    `# What a run of this profile gave, for \`repro check\` to compare later runs with: docs/check.md. Do not edit it:`,
    `# \`repro baseline update\` writes it and shows first what changes.`,
    'version: 1',
    `profile: ${JSON.stringify(profile)}`,
    `dataset: ${JSON.stringify(dataset)}`,
    `simulated: ${simulated}`,
    'frames:',
    ...formatFrames('train', frames.train),
    ...formatFrames('test', frames.test),
    'runs:',
    ...runs.flatMap(formatRun),
    Object.keys(claims).length === 0 ? 'claims: {}' : 'claims:',
    ...Object.keys(claims)
      .sort()
      .map((id) => `  ${JSON.stringify(id)}: ${claims[id]}`),
    '',
  ].join('\n');
}

function formatFrames(split: string, { sha256, list, clips, events }: FramesFacts): string[] {
  return [
    `  ${split}:`,
    `    sha256: "${sha256}"`,
    `    list: "${list}"`,
    `    clips: ${clips}`,
    ...(events === null ? [] : [`    events: { off: ${events.off}, on: ${events.on} }`]),
  ];
}

function formatRun(run: RunFacts): string[] {
  const { settings, firstBatches, trainLosses, layers, test } = run;
  return [
    `  - model: ${JSON.stringify(run.model)}`,
    `    seed: ${run.seed}`,
    `    engine: ${JSON.stringify(run.engine)}`,
    `    evaluationEngine: ${JSON.stringify(run.evaluationEngine)}`,
    '    settings:',
    ...Object.keys(settings)
      .sort()
      .map((key) => `      ${formatKey(key)}: ${JSON.stringify(settings[key])}`),
    `    epochs: ${run.epochs}`,
    `    chosenEpoch: ${run.chosenEpoch}`,
    `    preferredEpoch: ${run.preferredEpoch}`,
    `    rightInTraining: ${run.rightInTraining}`,
    ...formatList('    neuronSteps:', run.neuronSteps),
    '    firstBatches:',
    ...firstBatches.flatMap(({ batch, loss, spikeRates }) => [
      `      - batch: ${batch}`,
      `        loss: ${loss}`,
      ...formatList('        spikeRates:', spikeRates),
    ]),
    ...formatList('    trainLosses:', trainLosses),
    '    layers:',
    ...layers.flatMap(({ epoch, learningRate, spikeRates, tauMeans, tauStds }) => [
      `      - epoch: ${epoch}`,
      `        learningRate: ${learningRate}`,
      ...formatList('        spikeRates:', spikeRates),
      ...formatList('        tauMeans:', tauMeans),
      ...formatList('        tauStds:', tauStds),
    ]),
    '    test:',
    `      clips: ${test.clips}`,
    `      list: "${test.list}"`,
    ...formatList('      wrong:', test.wrong),
  ];
}

/** Dotted names of settings need no quotes. */
function formatKey(key: string): string {
  return /^[a-z][\w]*\.[\w.]+$/i.test(key) ? key : JSON.stringify(key);
}

/** `key: [1, 2, 3]`, wrapped and indented below its key if it is long. */
function formatList(head: string, values: readonly Json[]): string[] {
  const texts = values.map((value) => JSON.stringify(value));
  const whole = `${head} [${texts.join(', ')}]`;
  if (whole.length <= width) return [whole];
  const indent = `${' '.repeat(head.search(/\S/))}  `;
  const lines: string[] = [];
  let line = indent;
  for (const text of texts) {
    if (line.length + text.length + 2 > width && line !== indent) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${text}, `;
  }
  return [`${head} [`, ...lines, `${line.trimEnd().slice(0, -1)}]`];
}
