import type { NeuronTrace } from '../../snn/forward.ts';
import { describeNeuron } from '../accounts.ts';

export interface NeuronView {
  readonly trace: NeuronTrace;
  /** The same neuron of the second model. */
  readonly beside?: NeuronTrace;
  readonly threshold: number;
  readonly rest: number;
  /** From 0. */
  readonly step: number;
}

/** Draws a neuron over time; the figure's width decides that of the drawing. */
export function drawNeuron(figure: HTMLElement, view: NeuronView): void {
  figure.setAttribute('role', 'img');
  figure.setAttribute('aria-label', describeNeuron(view.trace, view));
}
