import { titleDataset } from '../../thesis/data-sets.ts';
import { judgeComparability, THESIS } from '../../thesis/published.ts';
import { axisRange } from '../data/epochs.ts';
import { groupDigits, joinWords, present } from '../data/format.ts';
import { describeCoverage, hasReference, referenceOf, tauReferenceOf } from '../data/reference.ts';
import type { ModelResult, ReferenceCurves, Results } from '../data/results.ts';
import type { Block, Inline, Text } from '../page/document.ts';

/** Explains the authors' logs in the figures, or why they are left out; empty if the profile names none. */
export function describeReference(results: Results): Block[] {
  if (results.reference === null) return [];
  const absence = explainAbsence(results);
  const texts =
    absence === null
      ? [explainPresence(results), ...listGaps(results), ...describeTruncated(results)]
      : [[{ strong: 'The authors’ logs are left out. ' }, absence]];
  return texts.map((text) => ({ kind: 'paragraph', text }));
}

function explainAbsence(results: Results): string | null {
  const incomparable = judgeComparability(results);
  if (incomparable === null)
    return hasReference(results) ? null : 'The folder named in the profile has no log of these models.';
  const [from, own] =
    incomparable === 'simulated' ? ['recordings of ', 'simulated data'] : ['', titleDataset(results.dataset)];
  return `They come from ${from}${titleDataset(THESIS.dataset)}; beside curves from ${own}, they would invite a meaningless comparison.`;
}

function explainPresence(results: Results): Text {
  return [
    { strong: 'Thin lines show the authors’ logs. ' },
    `They are the TensorBoard curves of the authors’ own trainings, one per model: ${describeCoverage(results)}. `,
    'Batch sizes and code may differ from this run, so compare the shape of the curves, not their values.',
  ];
}

/** What is in the logs, but cannot be drawn. */
function listGaps(results: Results): Text[] {
  const [, lastEpoch] = axisRange(results);
  const end = `after epoch ${groupDigits(lastEpoch)}, where the figures end`;
  const name = (holds: (curves: ReferenceCurves, model: ModelResult) => boolean): string | false => {
    const concerned = results.models.filter((model) => {
      const curves = referenceOf(results, model);
      return curves !== null && holds(curves, model);
    });
    return concerned.length > 0 && `The logs of ${joinWords(concerned.map(({ title }) => title))}`;
  };
  const gaps: readonly (readonly [whose: string | false, gap: string])[] = [
    [name(({ epochs }) => epochs[0] <= lastEpoch && epochs[1] > lastEpoch), `continue ${end}.`],
    [name(({ epochs }) => epochs[0] > lastEpoch), `begin ${end}, so they are not drawn.`],
    [
      name(({ placed }) => !placed),
      'do not show which training batch belongs to which epoch, so their time constants are not drawn.',
    ],
    [
      name(
        ({ placed, tau }, model) => placed && tau.length > 0 && tauReferenceOf(results, model).length === 0,
      ),
      'come from networks with a different number of spiking layers, so their time constants are not drawn.',
    ],
  ];
  return present(...gaps.map(([whose, gap]) => whose !== false && [`${whose} ${gap}`]));
}

function describeTruncated(results: Results): Text[] {
  const names = results.models.flatMap((model) => referenceOf(results, model)?.truncated ?? []);
  if (names.length === 0) return [];
  const which =
    names.length === 1
      ? 'An event file of the logs ends'
      : `${groupDigits(names.length)} event files of the logs end`;
  const listed = names.flatMap((name): Inline[] => [', ', { code: name }]).slice(1);
  return [[`${which} in the middle of a record; the complete records are used: `, ...listed, '.']];
}
