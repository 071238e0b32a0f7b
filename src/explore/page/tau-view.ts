import { describeTau } from '../accounts.ts';

interface TauView {
  /** Of each neuron, with all edits. */
  readonly taus: Float32Array;
  readonly selected: number | null;
  /** Of the axis; chosen by the values unless given. */
  readonly domain?: readonly [number, number];
}

/** Draws the distribution of τ over a layer's neurons on a logarithmic axis. */
export function drawTau(root: HTMLElement, { taus, selected }: TauView): void {
  root.setAttribute('role', 'img');
  root.setAttribute('aria-label', describeTau(taus, selected));
}
