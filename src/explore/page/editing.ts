import { LIMITS } from '../address.ts';
import { isTauLimited, setTauFactor, tauFactor } from '../edits.ts';
import { keepLast } from '../keep-last.ts';
import { formatValue } from '../scales.ts';
import type { Edits, TauEdit, ViewState } from '../view-state.ts';
import { element } from './dom.ts';
import type { Page, Part } from './view.ts';

/** What a slider for τ is about, in the view. */
const TARGETS: readonly (readonly [
  label: (state: ViewState) => string,
  target: (state: ViewState) => Omit<TauEdit, 'factor'>,
])[] = [
  [() => 'of this neuron', ({ neuron }) => ({ layer: neuron?.layer ?? 0, neuron: neuron?.index ?? 0 })],
  [
    ({ neuron }) => `of layer ${(neuron?.layer ?? 0) + 1}`,
    ({ neuron }) => ({ layer: neuron?.layer ?? 0, neuron: null }),
  ],
  [() => 'of all neurons', () => ({ layer: null, neuron: null })],
];

/** Sliders for τ, threshold and reset: the network answers while they move. */
export function makeEditing(page: Page): Part {
  const edit = (edits: Edits) => page.change({ edits });
  const factors = TARGETS.map(([label, target]) => {
    const [low, high] = LIMITS.factor.map(Math.log2);
    const slider = makeSlider(low!, high!, 0.1, (exponent) => {
      // The address has it in these digits.
      const factor = Number((2 ** exponent).toPrecision(3));
      edit(setTauFactor(page.state().edits, { ...target(page.state()), factor }));
    });
    return { ...slider, label, target };
  });
  const threshold = makeSlider(...LIMITS.threshold, 0.05, (value) => {
    edit({ ...page.state().edits, threshold: value === trained().threshold ? null : value });
  });
  threshold.name.textContent = 'Threshold';
  const resets = (['hard', 'soft'] as const).map((kind) => {
    const input = element('input', {
      type: 'radio',
      name: 'reset',
      value: kind,
      onchange: () => edit({ ...page.state().edits, reset: kind === trained().reset.kind ? null : kind }),
    });
    return {
      kind,
      input,
      label: element('label', {}, input, kind === 'hard' ? 'to rest' : 'by the threshold'),
    };
  });
  /** The first layer's: all layers have the same. */
  const trained = () => page.models.neurons(page.state().model, 'in-use')[0]!;

  const isLimited = keepLast(isTauLimited);
  const limit = element('p', { class: 'account', role: 'status' });
  const locked = element('p', { class: 'account' }, 'Not while it trains. Stop the training first.');
  const fields = element(
    'fieldset',
    {},
    element(
      'fieldset',
      {},
      element('legend', {}, 'Time constant τ, as a multiple of the learned one'),
      ...factors.map(({ row }) => row),
      limit,
    ),
    threshold.row,
    element(
      'fieldset',
      { class: 'choice' },
      element('legend', {}, 'After a spike, reset'),
      ...resets.map(({ label }) => label),
    ),
  );

  return {
    root: element(
      'section',
      { class: 'editing', 'aria-labelledby': 'editing' },
      element('h2', { id: 'editing' }, 'Change its neurons'),
      locked,
      fields,
    ),
    show({ state, result, isTraining }) {
      fields.disabled = isTraining;
      locked.hidden = !isTraining;
      for (const { show, name, label, target } of factors) {
        const factor = tauFactor(state.edits, target(state));
        name.textContent = label(state);
        show(Math.log2(factor), `× ${formatValue(factor)}`);
      }
      if (result === null) return;
      const { run } = result;
      const text = isLimited(run.neurons, page.models.neurons(run.model, 'in-use'))
        ? 'τ cannot be less than 1 step.'
        : '';
      if (limit.textContent !== text) limit.textContent = text;
      const now = state.edits.threshold ?? trained().threshold;
      threshold.show(now, formatValue(now));
      for (const { kind, input } of resets)
        input.checked = kind === (state.edits.reset ?? trained().reset.kind);
    },
  };
}

function makeSlider(min: number, max: number, step: number, changed: (value: number) => void) {
  const name = element('span', {});
  const input = element('input', {
    type: 'range',
    min,
    max,
    step,
    oninput: () => changed(Number(input.valueAsNumber.toFixed(4))),
  });
  const output = element('output', {});
  return {
    name,
    row: element('label', { class: 'slider' }, name, input, output),
    show(value: number, text: string) {
      input.value = String(value);
      input.setAttribute('aria-valuetext', text);
      output.textContent = text;
    },
  };
}
