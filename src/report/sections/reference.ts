import type { Block, Text } from '../document.ts';
import { axisRange } from '../epochs.ts';
import { formatCount, joinWords } from '../format.ts';
import { describeCoverage, hasReference, referenceOf, tauReferenceOf } from '../reference.ts';
import type { ModelResult, ReferenceCurves, Results } from '../results.ts';
import { judgeComparability, THESIS, titleDataset } from '../thesis.ts';

/** What the authors' logs beside our curves are, or why they are not there; nothing where the profile names none. */
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
          `They are of recordings of ${titleDataset(THESIS.dataset)}; beside curves of simulated data they would invite a comparison that means nothing.`,
        ],
      ];
    case 'other-dataset':
      return [
        [
          head,
          `They are of ${titleDataset(THESIS.dataset)}; beside curves of ${titleDataset(results.dataset)} they would invite a comparison that means nothing.`,
        ],
      ];
    case null:
      return hasReference(results)
        ? null
        : [[head, 'The folder that the profile names has no log of any of these models.']];
  }
}

function explainPresence(results: Results): Text {
  return [
    { strong: 'The authors’ logs lie over our curves as thin lines. ' },
    `They hold what the authors’ own trainings showed in TensorBoard, one training a model: ${describeCoverage(results)}. `,
    'Batch sizes and code need not be those of this run, so look for the course of the curves, not for equal values.',
  ];
}

/** What of the logs cannot be drawn: which models it is true of, and what to say of them. */
interface Gap {
  readonly holds: (curves: ReferenceCurves, model: ModelResult) => boolean;
  readonly say: (models: string) => string;
}

function listGaps(results: Results): Text[] {
  const [, lastEpoch] = axisRange(results);
  const end = `after epoch ${formatCount(lastEpoch)}, where the figures end`;
  const gaps: readonly Gap[] = [
    {
      holds: ({ epochs: [first, last] }) => first <= lastEpoch && last > lastEpoch,
      say: (models) => `The logs of ${models} go on ${end}.`,
    },
    {
      holds: ({ epochs: [first] }) => first > lastEpoch,
      say: (models) => `The logs of ${models} begin ${end}, so nothing of them is drawn.`,
    },
    {
      holds: ({ placed }) => !placed,
      say: (models) =>
        `The logs of ${models} do not tell which training batch belongs to which epoch, so there are no curves of training batches and time constants of them.`,
    },
    {
      holds: ({ placed, tau }, model) =>
        placed && tau.length > 0 && tauReferenceOf(results, model).length === 0,
      say: (models) =>
        `The logs of ${models} are of networks with another number of spiking layers, so their time constants are not drawn.`,
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
      `${which} in the middle of a record; what comes before that is used: `,
      ...names.flatMap((name, index) => [...(index === 0 ? [] : [', ']), { code: name }]),
      '.',
    ],
  ];
}
