import { formatCount } from '../text.ts';
import type { TrainingProgress } from './messages.ts';

/** How far a training in the page has come. */
export type TrainingPoint = Pick<TrainingProgress, 'step' | 'loss' | 'correct' | 'tau'>;

/** Clips that the network learned from, and test clips. */
export interface ClipCounts {
  readonly training: number;
  readonly test: number;
}

/** What training in the page does, before it begins. */
export function describeOffer(steps: number, batchSize: number, { training, test }: ClipCounts): string {
  const batch = Math.min(batchSize, training);
  return (
    `The network goes on learning in this page, by the engine of this project: ${formatCount(steps, 'step')}, ` +
    `each on ${batch} of ${formatCount(training, 'clip')} that it has learned from. The ${formatCount(test, 'test clip')} of this page, ` +
    'which it has not learned from, score it. It starts with τ, threshold and reset as you set them: change τ of all neurons, ' +
    'and see how it recovers. Adam starts afresh, so its first steps change each value by about the learning rate.'
  );
}

/**
 * `After 20 steps on 33 training clips: 41 of 45 test clips right, were 40; mean τ moved most in layer 5: 1.701 steps, was 1.724.`
 *
 * @param points from before the first step on, which is scored
 */
export function describeTraining(points: readonly TrainingPoint[], { training, test }: ClipCounts): string {
  const first = points[0];
  const last = points.findLast(({ correct }) => correct !== null);
  if (first === undefined || last === undefined) return '';
  const right = `${last.correct} of ${formatCount(test, 'test clip')} right`;
  if (last.step === 0) return `Before training: ${right}.`;
  const moves = last.tau.map((tau, layer) => Math.abs(tau - first.tau[layer]!));
  const layer = moves.indexOf(Math.max(...moves));
  const [now, before] = [last, first].map(({ tau }) => tau[layer]!.toFixed(3));
  const move =
    now === before
      ? 'mean τ of no layer moved'
      : `mean τ moved most in layer ${layer + 1}: ${now} steps, was ${before}`;
  const was = last.correct === first.correct ? 'as before' : `were ${first.correct}`;
  return `After ${formatCount(last.step, 'step')} on ${formatCount(training, 'clip')}: ${right}, ${was}; ${move}.`;
}
