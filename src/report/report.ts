import { titleDataset } from '../thesis/data-sets.ts';
import { judgeComparability, THESIS } from '../thesis/published.ts';
import { answerSpikes, answerTau } from './answers.ts';
import type { Judgement } from './claims/judgement.ts';
import { describeClaims } from './claims/section.ts';
import { listSwitched } from './compat-table.ts';
import { tabulateDifferences } from './differences.ts';
import type { Banner, Block, Report, Section, Table, Text } from './document.ts';
import { tabulateBestEpochs, tabulateLate } from './epoch-tables.ts';
import { allRuns } from './epochs.ts';
import { drawAccuracy, drawAccuracyByModel } from './figures/accuracy.ts';
import { drawConfusion } from './figures/confusion.ts';
import { drawDifference } from './figures/difference.ts';
import type { Figure } from './figures/figure.ts';
import { drawClasses, drawUsers } from './figures/groups.ts';
import { drawLoss, drawTrainingLoss } from './figures/loss.ts';
import { drawOutcomes } from './figures/outcomes.ts';
import { drawPipeline } from './figures/pipeline.ts';
import { drawSpikes } from './figures/spikes.ts';
import { countLayers, drawTau } from './figures/tau.ts';
import { formatCount, formatPercent, joinWords } from './format.ts';
import type { Origin } from './inputs/origin.ts';
import { judgeModels, type Outcome } from './outcome.ts';
import type { Results, RunResult } from './results.ts';
import { describeClips } from './sections/clips.ts';
import { describeData } from './sections/data.ts';
import { type Environment, tabulateEnvironment } from './sections/environment.ts';
import { describeReference } from './sections/reference.ts';
import { describeRerun } from './sections/rerun.ts';
import { describeSettings } from './sections/settings.ts';
import { describeTimes } from './sections/times.ts';
import { markSimulated } from './simulated.ts';
import { tabulateSpikes } from './spikes-table.ts';
import { tabulateOutcomes, tabulateSeeds } from './tables.ts';
import { isValidated } from './validated.ts';
import { writeVerdict } from './verdict.ts';

export interface ReportOptions {
  readonly title: string;
  readonly environment: Environment;
  /** null or absent if it is not known. */
  readonly origin?: Origin | null;
  /** What the run says of the published claims; without them there are no verdicts. */
  readonly judgements?: readonly Judgement[];
}

/** Builds the report from the results. Pure: the same results give the same report. */
export function buildReport(results: Results, options: ReportOptions): Report {
  const sections = listSections(results, options);
  return {
    // Also in a list of browser tabs or files, the title alone says what it is.
    title:
      results.simulated && !/simulat/i.test(options.title) ? `Simulated: ${options.title}` : options.title,
    subtitle: [`${nameKind(results)} of ${THESIS.author}, `, { strong: THESIS.title }, ` (${THESIS.where}).`],
    banners: announce(results),
    facts: [...nameProfile(options.origin ?? null), ...listFacts(results)],
    sections: results.simulated ? markSimulated(sections) : sections,
    footer: ['The same inputs reproduce this page byte for byte, so it has no date.'],
  };
}

/** What the run is to the thesis: without its data, no reproduction. */
function nameKind(results: Results): string {
  if (results.simulated) return 'Simulated data in the pipeline that reproduces the results';
  return judgeComparability(results) === null ? 'Reproduction' : 'The networks on other data than those';
}

function listSections(
  results: Results,
  { judgements, environment, origin = null }: ReportOptions,
): Section[] {
  const outcomes = judgeModels(results);
  return [
    ...(judgements === undefined ? [] : [describeClaims(judgements, results.dataset)]),
    describeOutcomes(results, outcomes, judgements ?? []),
    {
      id: 'training',
      title: 'Training',
      blocks: [
        ...describeReference(results),
        ...showFigures(
          drawAccuracy(results),
          drawAccuracyByModel(results),
          isValidated(results) ? drawDifference(results) : null,
          drawTrainingLoss(results),
          drawLoss(results),
        ),
      ],
    },
    ...describeNeurons(results),
    {
      id: 'mistakes',
      title: 'Misclassifications',
      blocks: showFigures(drawConfusion(results), drawClasses(results), drawUsers(results)),
    },
    describeData(results),
    ...describeClips(results),
    describeSettings(results),
    {
      id: 'pipeline',
      title: 'Pipeline',
      blocks: [
        ...showFigures(drawPipeline(results)),
        ...describeTimes(results.timeline),
        ...showTables(tabulateEnvironment(results, environment)),
      ],
    },
    describeRerun(results, origin),
  ];
}

function announce(results: Results): Banner[] {
  switch (judgeComparability(results)) {
    case 'simulated':
      return [
        {
          title: 'Simulated data: these results say nothing about the thesis',
          text: `The gestures are simulated: no person made them and no camera recorded them. With the recordings of ${titleDataset(THESIS.dataset)}, the same pipeline gives comparable results.`,
        },
      ];
    case 'other-dataset':
      return [
        {
          title: `Another data set: ${titleDataset(results.dataset)}`,
          text: `The thesis reports ${titleDataset(THESIS.dataset)} only, so nothing here can be compared with it.`,
        },
      ];
    case null:
      return [];
  }
}

function describeOutcomes(
  results: Results,
  outcomes: readonly Outcome[],
  judgements: readonly Judgement[],
): Section {
  const comparable = judgeComparability(results) === null;
  const chance = 1 / results.classes.length;
  return {
    id: 'results',
    title: 'Results',
    blocks: [
      ...writeVerdict(results, outcomes, judgements).map((text, index) => ({
        kind: 'paragraph' as const,
        text,
        lead: index === 0,
      })),
      { kind: 'figure', figure: drawOutcomes(outcomes, chance, { comparable }) },
      { kind: 'table', table: tabulateOutcomes(results, outcomes, judgements) },
      ...showTables(
        tabulateLate(results, outcomes),
        tabulateBestEpochs(results),
        tabulateDifferences(results),
        results.seeds.length > 1 ? tabulateSeeds(outcomes) : null,
      ),
    ],
  };
}

/** Figures as blocks, without those that the data do not allow. */
function showFigures(...figures: readonly (Figure | null)[]): Block[] {
  return figures.flatMap((figure) => (figure === null ? [] : [{ kind: 'figure', figure } as const]));
}

function showTables(...tables: readonly (Table | null)[]): Block[] {
  return tables.flatMap((table) => (table === null ? [] : [{ kind: 'table', table } as const]));
}

/** What the figures below say, first. */
function answer(text: Text): Block[] {
  return text.length === 0 ? [] : [{ kind: 'paragraph', text, lead: true }];
}

/** Time constants and spikes of each layer, if the training recorded them. */
function describeNeurons(results: Results): Section[] {
  if (countLayers(results) === 0) return [];
  return [
    {
      id: 'time-constants',
      title: 'Time constants',
      blocks: [...answer(answerTau(results)), ...showFigures(drawTau(results))],
    },
    {
      id: 'spikes',
      title: 'Spikes',
      blocks: [
        ...answer(answerSpikes(results)),
        ...showFigures(drawSpikes(results)),
        { kind: 'table', table: tabulateSpikes(results) },
      ],
    },
  ];
}

function nameProfile(origin: Origin | null): Report['facts'] {
  if (origin === null) return [];
  const { profile, set } = origin;
  return [{ name: 'Profile', value: set.length === 0 ? profile : `${profile}, with ${set.join(', ')}` }];
}

function listFacts(results: Results): Report['facts'] {
  const runs = allRuns(results);
  const distinct = (values: readonly string[]): string => [...new Set(values)].join(', ');
  const clips = distinct(
    runs.map(
      (run) =>
        `${formatCount(run.clips.train)} / ${formatCount(run.clips.validation)} / ${formatCount(run.clips.test)}`,
    ),
  );
  const switched = listSwitched(results);
  return [
    {
      name: 'Data',
      value: `${results.simulated ? 'Simulated, in the layout of ' : ''}${titleDataset(results.dataset)}`,
    },
    ...listReductions(results).map((value) => ({ name: 'Reduced data', value })),
    { name: 'Clips: training / validation / test', value: clips },
    {
      name: 'Classes',
      value: `${results.classes.length}, chance ${formatPercent(1 / results.classes.length)}`,
    },
    {
      name: results.models.length === 1 ? 'Model' : 'Models',
      value: joinWords(results.models.map(({ title }) => title)),
    },
    { name: results.seeds.length === 1 ? 'Seed' : 'Seeds', value: results.seeds.join(', ') },
    ...(switched.length === 0 ? [] : [{ name: 'Compatibility switches', value: switched.join(', ') }]),
    { name: 'Epochs', value: distinct(runs.map(({ metrics }) => formatCount(metrics.epochs.length))) },
    { name: 'Parameters', value: describeParameters(results) },
    {
      name: 'Software',
      value: distinct(runs.map(({ engine }) => `${engine.name} ${engine.version} on ${engine.backend}`)),
    },
  ];
}

/** In what the networks see less than the recordings hold: all of it in one text. */
function listReductions(results: Results): string[] {
  const runs = allRuns(results);
  const fewest = (count: (run: RunResult) => number): number => Math.min(...runs.map(count));
  const clips = [
    {
      name: 'training',
      used: fewest((run) => run.clips.train + run.clips.validation),
      of: results.manifest.train,
    },
    { name: 'test', used: fewest((run) => run.clips.test), of: results.manifest.test },
  ].flatMap(({ name, used, of }) =>
    used < of.clips ? [`a subset of ${formatCount(used)} of ${formatCount(of.clips)} ${name} clips`] : [],
  );
  const frames = runs.flatMap(({ frames: one }) => {
    const factor = one?.downsample;
    return typeof factor === 'number' && factor > 1
      ? [`${factor} × ${factor} pixels binned into one, to ${one?.height} × ${one?.width}`]
      : [];
  });
  const parts = [...clips, ...new Set(frames)];
  return parts.length === 0 ? [] : [joinWords(parts)];
}

/** `98 821 (Baseline); 142 062 (No Reg. and λ = .1)`, or one number for all. */
function describeParameters({ models }: Results): string {
  const titles = new Map<string, Set<string>>();
  for (const { title, runs } of models) {
    for (const { parameters } of runs) {
      const count = formatCount(parameters);
      titles.set(count, (titles.get(count) ?? new Set()).add(title));
    }
  }
  if (titles.size === 1) return [...titles.keys()].join('');
  return [...titles].map(([count, whose]) => `${count} (${joinWords([...whose])})`).join('; ');
}
