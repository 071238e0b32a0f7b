import { traceNeuron } from '../../snn/forward.ts';
import { restingPotential } from '../../snn/neurons.ts';
import { drawNeuron } from '../charts.ts';
import { setTauFactor } from '../edits.ts';
import { type Edits, LIMITS, type ViewState } from '../view-state.ts';
import { describeNeuron, formatTau, formatValue, nameNeuron } from '../words.ts';
import { byId, checkChoice, makeElement, onChoice, setText } from './dom.ts';
import type { Page, Part } from './view.ts';

/** A screen reader should hear where a slider came to rest, not each value on the way. */
const CALM_MS = 500;

/** The chosen neuron over time. What it did, and the votes, are told to screen readers unless the clip plays. */
export function makeInspector({ payload }: Page): Part {
  let timer = 0;
  return ({ state: { neuron, step }, result, isPlaying }) => {
    if (neuron === null || result === null) return;
    const { run } = result;
    const layer = run.neurons[neuron.layer]!;
    const trace = traceNeuron(layer, run.trace.layers[neuron.layer]!, neuron.index);
    const [now, learned] = [layer, run.network.forward.neurons[neuron.layer]!].map(({ leaks }) =>
      formatTau(1 / leaks[neuron.index]!),
    );
    const name = `${nameNeuron(neuron.layer, neuron.index, layer.shape)}: τ = ${now} steps`;
    setText(byId('p', 'neuron-name'), now === learned ? name : `${name}, learned ${learned}`);
    const view = { trace, threshold: layer.threshold, rest: restingPotential(layer), step };
    const color = `var(--${payload.models[run.network.model]!.color})`;
    byId('div', 'neuron-figure').innerHTML = drawNeuron(view, color);
    const account = describeNeuron(view);
    setText(byId('p', 'neuron-account'), account);
    clearTimeout(timer);
    const votes = byId('div', 'votes').getAttribute('aria-label');
    if (!isPlaying)
      timer = setTimeout(() => setText(byId('p', 'account'), `${votes} ${name}. ${account}`), CALM_MS);
  };
}

/** What a slider for τ is about, in the view. */
const TARGETS: readonly ((neuron: NonNullable<ViewState['neuron']>) => readonly [string, label: string])[] = [
  ({ layer, index }) => [`${layer}.${index}`, 'of this neuron'],
  ({ layer }) => [String(layer), `of layer ${layer + 1}`],
  () => ['all', 'of all neurons'],
];
const FIRST = { layer: 0, index: 0 };

/** Sliders for τ, threshold and reset: the network answers while they move. */
export function makeEditing({ models, state, change }: Page): Part {
  const edit = (patch: Partial<Edits>) => change({ edits: { ...state().edits, ...patch } });
  /** The first layer's neurons: all layers have the same threshold and reset. */
  const trained = () => models.inUse(state().model)?.forward.neurons[0];
  const [low, high] = LIMITS.factor.map(Math.log2) as [number, number];
  const factors = TARGETS.map((describe) => {
    const slider = makeSlider(low, high, 0.1, (exponent) => {
      // The address has it in these digits.
      const factor = Number((2 ** exponent).toPrecision(3));
      const [target] = describe(state().neuron ?? FIRST);
      edit(setTauFactor(state().edits, target, factor));
    });
    return { ...slider, describe };
  });
  const threshold = makeSlider(...LIMITS.threshold, 0.05, (value) =>
    edit({ threshold: value === trained()?.threshold ? null : value }),
  );
  const reset = byId('fieldset', 'reset');
  onChoice(reset, (value) => {
    const kind = value === 'hard' ? 'hard' : 'soft';
    edit({ reset: kind === trained()?.reset.kind ? null : kind });
  });
  byId('fieldset', 'factors').append(...factors.map(({ root }) => root));
  reset.before(threshold.root);

  return ({ state: { edits, neuron } }) => {
    for (const { show, describe } of factors) {
      const [target, label] = describe(neuron ?? FIRST);
      const factor = edits.tau[target] ?? 1;
      show(label, Math.log2(factor), `× ${formatValue(factor)}`);
    }
    const first = trained();
    if (first === undefined) return;
    const now = edits.threshold ?? first.threshold;
    threshold.show('Threshold', now, formatValue(now));
    checkChoice(reset, edits.reset ?? first.reset.kind);
  };
}

function makeSlider(min: number, max: number, step: number, changed: (value: number) => void) {
  const root = makeElement(
    `<label class="slider"><span></span><input type="range" min="${min}" max="${max}" step="${step}"><output></output></label>`,
  );
  const input = root.querySelector('input')!;
  input.oninput = () => changed(Number(input.valueAsNumber.toFixed(4)));
  return {
    root,
    show(label: string, value: number, text: string) {
      setText(root.querySelector('span')!, label);
      input.value = String(value);
      input.setAttribute('aria-valuetext', text);
      setText(root.querySelector('output')!, text);
    },
  };
}
