import { traceNeuron } from '../../snn/forward.ts';
import { restingPotential } from '../../snn/neurons.ts';
import { countSpikes } from '../outcome.ts';
import { describeNeuron, describeStep, nameNeuron } from '../words.ts';
import { element } from './dom.ts';
import { tellResult } from './stage.ts';
import type { Page, Part, View } from './view.ts';

/** A screen reader should hear where a slider came to rest, not each value on the way. */
const CALM_MS = 500;

/** Tells screen readers what there is to see, but not each step while the clip plays. */
export function makeAccount(page: Page): Part {
  const root = element('p', { class: 'unseen', role: 'status' });
  let next = '';
  let timer = 0;
  return {
    root,
    show(view) {
      const text = tell(page, view);
      if (text === next) return;
      next = text;
      clearTimeout(timer);
      timer = setTimeout(() => root.replaceChildren(text), CALM_MS);
    },
  };
}

function tell(page: Page, { state: { step, neuron }, result, isPlaying }: View): string {
  if (result === null) return '';
  const told = tellResult(page, result);
  if (isPlaying) return told;
  const { trace, outcome, neurons } = result.run;
  const layers = trace.layers.map((layer) => ({
    fired: countSpikes(layer, trace.steps, step),
    neurons: layer.spikes.length / trace.steps,
  }));
  const { classes } = page.payload;
  const votes = { classes, scores: outcome.scores[step]!, label: page.labelOf(result.asked.clip) };
  const seen = `${told} ${describeStep(step, trace.steps, votes, layers)}`;
  const own = neuron === null ? undefined : neurons[neuron.layer];
  if (neuron === null || own === undefined) return seen;
  const chosen = describeNeuron({
    trace: traceNeuron(own, trace.layers[neuron.layer]!, neuron.index),
    ...{ threshold: own.threshold, rest: restingPotential(own), step },
  });
  return `${seen} ${nameNeuron(neuron.layer, neuron.index, own.shape)}. ${chosen}`;
}
