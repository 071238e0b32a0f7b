import { hasFolds, judgeComparability, THESIS } from '../results/thesis/published.ts';
import { present } from '../verdicts/words.ts';
import type { Judgement } from './claims/judgement.ts';
import { type Outcome, summariseModels } from './data/outcome.ts';
import { contrastModels, type Question } from './data/question.ts';
import type { Results } from './data/results.ts';
import { EXPLORE_PAGE } from './explorable/make/page.ts';
import { isExplorable } from './explorable/make/payload.ts';
import { drawConfusion } from './figures/confusion.ts';
import { drawOutcomes } from './figures/outcomes.ts';
import type { Banner, Block, Report, Section, Text } from './page/document.ts';
import { writeAnswer } from './sections/answer.ts';
import { describeClaims } from './sections/claims.ts';
import { describeClips } from './sections/clips.ts';
import { answerCost, tabulateCost } from './sections/cost.ts';
import { describeData } from './sections/data.ts';
import { tabulateBestEpochs, tabulateLate } from './sections/epoch-tables.ts';
import { listFacts } from './sections/facts.ts';
import { describeNeurons, describeSpikes } from './sections/neurons.ts';
import { tabulateDifferences, tabulateOutcomes, tabulateSeeds } from './sections/outcome-tables.ts';
import { describeQuestion } from './sections/question.ts';
import { describeRerun, type RunOrigin } from './sections/rerun.ts';
import { describeSettings } from './sections/settings.ts';
import { writeSummary } from './sections/summary.ts';
import { describeTauChanges } from './sections/tau-changes.ts';
import { describeTime } from './sections/time.ts';
import { describeCurves } from './sections/training.ts';
import { describeWidths } from './sections/widths.ts';

interface ReportOptions {
  readonly title: string;
  /** null or absent if it is not known. */
  readonly origin?: RunOrigin | null;
  /** The judgements of the published claims; without them, the page has no verdicts. */
  readonly judgements?: readonly Judgement[];
  /** The answer to the profile's question; null or absent if it asks nothing. */
  readonly question?: Question | null;
}

/** With the version in package.json, of which every change would make this page stale. */
const PROGRAM = 'plif-repro 1.0.0';

/** Builds the report from the results. Pure: the same results give the same report. */
export function buildReport(results: Results, options: ReportOptions): Report {
  const sections = listSections(results, options);
  return {
    // The title must also say so on its own, in a list of browser tabs or files.
    title:
      results.simulated && !/simulat/i.test(options.title) ? `Simulated: ${options.title}` : options.title,
    subtitle: [`${nameKind(results)} ${THESIS.author}, `, { strong: THESIS.title }, ` (${THESIS.where}).`],
    ...(isExplorable(results) ? { explore: EXPLORE_LINK } : {}),
    banners: announce(results),
    answer: options.question ? writeAnswer(results, options.question) : [],
    facts: listFacts(results, options.origin ?? null),
    sections: results.simulated
      ? sections.map((section) => ({ ...section, blocks: section.blocks.map(markBlock) }))
      : sections,
    footer: [`Made by ${PROGRAM}. The same inputs reproduce this page byte for byte, so it has no date.`],
  };
}

const EXPLORE_LINK: Text = [
  { link: EXPLORE_PAGE, text: 'Explore the networks' },
  ': they run in your browser, and you can change their time constants and see what each neuron does.',
];

/** How the run relates to the thesis, before its author's name: without its data it is not a reproduction. */
function nameKind(results: Results): string {
  if (results.simulated) return 'Run on simulated data with the pipeline that reproduces';
  return judgeComparability(results) === 'other-dataset'
    ? 'Run on another data set with the networks of'
    : 'Reproduction of';
}

function listSections(
  results: Results,
  { judgements, question = null, origin = null }: ReportOptions,
): Section[] {
  const outcomes = summariseModels(results);
  const isClaimed = judgements?.some(({ claim }) => claim.dataset === results.dataset.name) === true;
  return [
    ...(question === null ? [] : [describeQuestion(results, question)]),
    ...(hasFolds(results) ? [] : describeWidths(results)), // which need the same people tested by all seeds
    ...(isClaimed ? [describeClaims(judgements, results)] : []),
    describeOutcomes(results, outcomes, judgements ?? [], question !== null),
    describeCurves(results),
    ...describeNeurons(results),
    ...describeTauChanges(results),
    ...[
      describeAccuracies(results, outcomes),
      ...describeSpikes(results),
      describeTime(results),
      {
        id: 'mistakes',
        title: 'Misclassifications',
        blocks: [{ kind: 'figure', figure: drawConfusion(results) } as const],
      },
      describeData(results),
      ...describeClips(results),
      describeSettings(results),
      describeRerun(results, origin),
    ].map((section): Section => ({ ...section, folded: true })),
  ];
}

function announce(results: Results): Banner[] {
  const incomparable = judgeComparability(results);
  const thesis = THESIS.datasetTitle;
  const isOther = results.dataset.name !== THESIS.dataset;
  const otherText = `The thesis reports ${thesis} only, so its accuracies are left out.`;
  const banners = {
    simulated: {
      title: 'Simulated data: these results say nothing about the thesis',
      text: isOther
        ? `The recordings are simulated. ${otherText}`
        : `The recordings are simulated: no person and no camera was involved. With the recordings of ${thesis}, the same pipeline gives comparable results.`,
    },
    'other-dataset': {
      title: `Another data set: ${results.dataset.title}`,
      text: otherText,
    },
    folds: {
      title: 'Other people are tested than in the thesis',
      text: `Each seed tests a fold of users and trains on the others, so published accuracies are left out: they are of the official test users of ${thesis}.`,
    },
  };
  return incomparable === null ? [] : [banners[incomparable]];
}

function describeOutcomes(
  results: Results,
  outcomes: readonly Outcome[],
  judgements: readonly Judgement[],
  asks: boolean,
): Section {
  const comparable = judgeComparability(results) === null;
  const chance = 1 / results.classes.length;
  const [first, ...others] = results.models;
  // The answer to the question compares them already, each with its own baseline.
  const contrasts = asks || first === undefined || others.length === 0 ? null : contrastModels(first, others);
  const tables = present(
    tabulateOutcomes(results, outcomes, judgements),
    contrasts && tabulateDifferences(contrasts),
  );
  const cost = answerCost(results);
  return {
    id: 'results',
    title: 'Results',
    blocks: [
      ...writeSummary(results, outcomes, judgements, contrasts).map(
        (text, index): Block => ({ kind: 'paragraph', text, lead: index === 0 }),
      ),
      { kind: 'figure', figure: drawOutcomes(outcomes, chance, comparable) },
      ...tables.map((table): Block => ({ kind: 'table', table })),
      ...(cost.length === 0 ? [] : [{ kind: 'paragraph', text: cost } as const]),
    ],
  };
}

function describeAccuracies(results: Results, outcomes: readonly Outcome[]): Section {
  const tables = present(
    results.seeds.length > 1 && tabulateSeeds(outcomes),
    tabulateLate(results, outcomes),
    tabulateBestEpochs(results),
    tabulateCost(results),
  );
  return {
    id: 'accuracies',
    title: 'Runs, epochs and costs',
    blocks: tables.map((table): Block => ({ kind: 'table', table })),
  };
}

const MARK = 'simulated-';

/** Marks the names of figures and pictures, so that a copied file cannot pass for a reproduction: `simulated-accuracy.svg`. */
function markBlock(block: Block): Block {
  switch (block.kind) {
    case 'figure':
      return { ...block, figure: { ...block.figure, id: `${MARK}${block.figure.id}` } };
    case 'gallery': {
      const { gallery } = block;
      const pictures = gallery.pictures.map((picture) => ({ ...picture, id: `${MARK}${picture.id}` }));
      return { ...block, gallery: { ...gallery, pictures } };
    }
    default:
      return block;
  }
}
