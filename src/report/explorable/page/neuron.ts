import { html, nothing } from 'lit-html';
import { traceNeuron } from '../../../network/forward.ts';
import { drawNeuron } from '../charts.ts';
import { keepLast } from '../keep-last.ts';
import { type Edits, LIMITS, RESETS, setTauFactor } from '../view-state.ts';
import { describeNeuron, describeVotes, formatTau, formatValue, nameNeuron } from '../words.ts';
import { isPlaying } from './controls.ts';
import { drawChoice, drawSlider, drawSwitch } from './elements.ts';
import { networkInUse, payload, type Result } from './networks.ts';
import { votesOf } from './stage.ts';
import { change, redraw, stateNow, type View } from './store.ts';

/** A screen reader should hear where a slider came to rest, not each value on the way. */
const CALM_MS = 500;
let timer = 0;
/** What the chosen neuron did, and the votes, for screen readers. */
export let told = '';
const tellCalmly = keepLast((text: string) => {
  clearTimeout(timer);
  timer = window.setTimeout(() => {
    told = text;
    redraw();
  }, CALM_MS);
});

/** The chosen neuron over time; it is told to screen readers unless the clip plays. */
export function drawInspector({ state: { neuron, step } }: View, result: Result) {
  if (neuron === null) return nothing;
  const { run } = result;
  const layer = run.neurons[neuron.layer]!;
  const trace = traceNeuron(layer, run.trace.layers[neuron.layer]!, neuron.index);
  const [now, learned] = [layer, run.network.forward.neurons[neuron.layer]!].map(({ leaks }) =>
    formatTau(1 / leaks[neuron.index]!),
  );
  const name = `${nameNeuron(neuron.layer, neuron.index, layer.shape)}: τ = ${now} steps`;
  const view = { trace, threshold: layer.threshold, rest: layer.rest, step };
  const account = describeNeuron(view);
  tellCalmly(isPlaying() ? '' : `${describeVotes(votesOf(result, step))} ${name}. ${account}`);
  const figure = drawNeuron(view, `var(--${payload.models[run.network.model]!.color})`);
  return html`<section class="inspector" id="inspector" aria-labelledby="neuron">
    <h2 id="neuron">One of its neurons</h2>
    <p class="name">${now === learned ? name : `${name}, learned ${learned}`}</p>
    <div class="neuron" .innerHTML=${figure}></div>
    <p class="account">${account}</p>
  </section>`;
}

/** Sliders for τ, threshold and reset: the network answers while they move. */
export function drawEditing({ state: { model, edits, neuron } }: View) {
  const edit = (patch: Partial<Edits>) => change({ edits: { ...stateNow().edits, ...patch } });
  const { layer, index } = neuron ?? { layer: 0, index: 0 };
  const [low, high] = LIMITS.factor.map(Math.log2) as [number, number];
  const factors = [
    [`${layer}.${index}`, 'of this neuron'],
    [`${layer}`, `of layer ${layer + 1}`],
    ['all', 'of all neurons'],
  ].map(([target = '', label = '']) => {
    const factor = edits.tau[target] ?? 1;
    // The address has it in these digits.
    const slide = (exponent: number) =>
      edit(setTauFactor(stateNow().edits, target, Number((2 ** exponent).toPrecision(3))));
    return drawSlider(label, [Math.log2(factor), slide], [low, high, 0.1], `× ${formatValue(factor)}`);
  });
  // All layers have the same threshold and reset.
  const trained = networkInUse(model)!.forward.neurons[0]!;
  const threshold = edits.threshold ?? trained.threshold;
  const slide = (value: number) => edit({ threshold: value === trained.threshold ? null : value });
  const choose = (kind: keyof typeof RESETS) => edit({ reset: kind === trained.reset ? null : kind });
  return html`<section class="editing" aria-labelledby="editing">
    <h2 id="editing">Change its neurons</h2>
    <fieldset>
      <legend>Time constant τ, times the learned one; the three multiply (at least 1 step)</legend>
      ${drawSwitch('Give every neuron its layer’s mean τ', [edits.layerMean, (layerMean) => edit({ layerMean })])}
      ${factors}
    </fieldset>
    ${drawSlider('Threshold', [threshold, slide], [...LIMITS.threshold, 0.05], formatValue(threshold))}
    ${drawChoice('After a spike, reset', [edits.reset ?? trained.reset, choose], RESETS)}
  </section>`;
}
