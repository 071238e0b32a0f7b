import { traceNeuron } from '../../snn/forward.ts';
import { restingPotential } from '../../snn/neurons.ts';
import { describeNeuron } from '../accounts.ts';
import { countSpikes } from '../outcome.ts';
import { describeStep, nameNeuron } from '../words.ts';
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

function tell(page: Page, { state, result, isPlaying }: View): string {
  if (result === null) return '';
  const { run } = result;
  const { step, neuron } = state;
  const told = tellResult(page, result);
  if (isPlaying) return told;
  const layers = run.trace.layers.map((layer) => ({
    fired: countSpikes(layer, run.trace.steps, step),
    neurons: layer.spikes.length / run.trace.steps,
  }));
  const { classes } = page.payload;
  const votes = { classes, scores: run.outcome.scores[step]!, label: page.labelOf(result.asked.clip) };
  const own = neuron === null ? undefined : run.neurons[neuron.layer];
  if (neuron === null || own === undefined)
    return `${told} ${describeStep(step, run.trace.steps, votes, layers)}`;
  const name = nameNeuron(neuron.layer, neuron.index, own.shape);
  const trace = traceNeuron(own, run.trace.layers[neuron.layer]!, neuron.index);
  const chosen = describeNeuron({ trace, threshold: own.threshold, rest: restingPotential(own), step });
  return `${told} ${describeStep(step, run.trace.steps, votes, layers)} ${name}. ${chosen}`;
}
