import { titleDataset } from '../../thesis/data-sets.ts';
import { judgeComparability, THESIS } from '../../thesis/published.ts';
import { axisRange } from '../data/epochs.ts';
import { formatCount, joinWords } from '../data/format.ts';
import { describeCoverage, hasReference, referenceOf, tauReferenceOf } from '../data/reference.ts';
import type { ModelResult, ReferenceCurves, Results } from '../data/results.ts';
import type { Block, Text } from '../page/document.ts';

/** Explains the authors' logs in the figures, or why they are left out; empty if the profile names none. */
export function describeReference(results: Results): Block[] {
  if (results.reference === null) return [];
  const texts = explainAbsence(results) ?? [explainPresence(results), ...listGaps(results)];
  return texts.map((text) => ({ kind: 'paragraph', text }));
}

function explainAbsence(results: Results): Text[] | null {
  const head = { strong: 'The authors’ logs are left out. ' };
  switch (judgeComparability(results)) {
    case 'simulated':
      return [
        [
          head,
          `They come from recordings of ${titleDataset(THESIS.dataset)}; beside curves from simulated data, they would invite a meaningless comparison.`,
        ],
      ];
    case 'other-dataset':
      return [
        [
          head,
          `They come from ${titleDataset(THESIS.dataset)}; beside curves from ${titleDataset(results.dataset)}, they would invite a meaningless comparison.`,
        ],
      ];
    case null:
      return hasReference(results)
        ? null
        : [[head, 'The folder named in the profile has no log of these models.']];
  }
}

function explainPresence(results: Results): Text {
  return [
    { strong: 'Thin lines show the authors’ logs. ' },
    `They are the TensorBoard curves of the authors’ own trainings, one per model: ${describeCoverage(results)}. `,
    'Batch sizes and code may differ from this run, so compare the shape of the curves, not their values.',
  ];
}

/** Something in the logs that cannot be drawn: whether a model has it, and the sentence about it. */
interface Gap {
  readonly holds: (curves: ReferenceCurves, model: ModelResult) => boolean;
  readonly say: (models: string) => string;
}

function listGaps(results: Results): Text[] {
  const [, lastEpoch] = axisRange(results);
  const end = `after epoch ${formatCount(lastEpoch)}, where the figures end`;
  const hasEarlyLosses = ({ trainLoss }: ReferenceCurves) =>
    (trainLoss[0]?.epoch ?? lastEpoch + 1) <= lastEpoch;
  const gaps: readonly Gap[] = [
    {
      holds: ({ epochs: [first, last] }) => first <= lastEpoch && last > lastEpoch,
      say: (models) => `The logs of ${models} continue ${end}.`,
    },
    {
      holds: (curves) => curves.epochs[0] > lastEpoch && !hasEarlyLosses(curves),
      say: (models) => `The logs of ${models} begin ${end}, so they are not drawn.`,
    },
    {
      holds: (curves) => curves.epochs[0] > lastEpoch && hasEarlyLosses(curves),
      say: (models) => `The logs of ${models} begin ${end}; only their training loss is drawn.`,
    },
    {
      holds: ({ placed }) => !placed,
      say: (models) =>
        `The logs of ${models} do not show which training batch belongs to which epoch, so their training batches and time constants are not drawn.`,
    },
    {
      holds: ({ placed, tau }, model) =>
        placed && tau.length > 0 && tauReferenceOf(results, model).length === 0,
      say: (models) =>
        `The logs of ${models} come from networks with a different number of spiking layers, so their time constants are not drawn.`,
    },
  ];
  const texts = gaps.flatMap(({ holds, say }): Text[] => {
    const concerned = results.models.filter((model) => {
      const curves = referenceOf(results, model);
      return curves !== null && holds(curves, model);
    });
    return concerned.length === 0 ? [] : [[say(joinWords(concerned.map(({ title }) => title)))]];
  });
  return [...texts, ...describeTruncated(results)];
}

function describeTruncated(results: Results): Text[] {
  const names = results.models.flatMap((model) => referenceOf(results, model)?.truncated ?? []);
  if (names.length === 0) return [];
  const which =
    names.length === 1
      ? 'An event file of the logs ends'
      : `${formatCount(names.length)} event files of the logs end`;
  return [
    [
      `${which} in the middle of a record; the complete records are used: `,
      ...names.flatMap((name, index) => [...(index === 0 ? [] : [', ']), { code: name }]),
      '.',
    ],
  ];
}
