import { type NeuronTrace, traceNeuron } from '../../snn/forward.ts';
import { restingPotential } from '../../snn/neurons.ts';
import { keepLast } from '../keep-last.ts';
import { formatTau, nameNeuron } from '../words.ts';
import { element } from './dom.ts';
import { drawNeuron } from './neuron-view.ts';
import type { Run } from './runs.ts';
import type { Page, Part } from './view.ts';

/** The chosen neuron over time. */
export function makeInspector(page: Page): Part {
  const figure = element('div', { class: 'neuron' });
  const name = element('p', { class: 'name' });
  const traceOwn = keepLast(traceIn);
  const traceBeside = keepLast(traceIn);
  return {
    root: element(
      'section',
      { class: 'inspector', 'aria-labelledby': 'neuron' },
      element('h2', { id: 'neuron' }, 'One of its neurons'),
      name,
      figure,
    ),
    show({ state: { neuron, step }, result }) {
      const layer = neuron === null ? undefined : result?.run.neurons[neuron.layer];
      if (neuron === null || layer === undefined || result === null) return;
      const { run, beside } = result;
      const colorOf = ({ model }: Run) => `var(--${page.payload.models[model]!.color})`;
      const learned = 1 / page.models.neurons(run.model, 'in-use')[neuron.layer]!.leaks[neuron.index]!;
      const now = 1 / layer.leaks[neuron.index]!;
      const before = now === learned ? '' : `, learned ${formatTau(learned)}`;
      name.textContent = `${nameNeuron(neuron.layer, neuron.index, layer.shape)}: τ = ${formatTau(now)} steps${before}`;
      const other = beside === null ? null : traceBeside(beside, neuron.layer, neuron.index);
      drawNeuron(figure, {
        trace: traceOwn(run, neuron.layer, neuron.index)!,
        ...(other === null ? {} : { beside: other }),
        threshold: layer.threshold,
        rest: restingPotential(layer),
        step,
        colors: [
          colorOf(run),
          beside === null || beside.model === run.model ? 'var(--grey)' : colorOf(beside),
        ],
      });
    },
  };
}

/** @returns null if that network has no such neuron */
function traceIn({ neurons, trace }: Run, layer: number, index: number): NeuronTrace | null {
  const own = neurons[layer];
  return own === undefined || index >= own.leaks.length
    ? null
    : traceNeuron(own, trace.layers[layer]!, index);
}
