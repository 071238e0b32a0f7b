import { LIMITS } from '../address.ts';
import { setTauFactor } from '../edits.ts';
import { formatValue } from '../scales.ts';
import type { Edits, ViewState } from '../view-state.ts';
import { byId, checkChoice, makeElement, onChoice, setText } from './dom.ts';
import type { Page, Part } from './view.ts';

/** What a slider for τ is about, in the view. */
const TARGETS: readonly ((neuron: NonNullable<ViewState['neuron']>) => readonly [string, label: string])[] = [
  ({ layer, index }) => [`${layer}.${index}`, 'of this neuron'],
  ({ layer }) => [String(layer), `of layer ${layer + 1}`],
  () => ['all', 'of all neurons'],
];
const FIRST = { layer: 0, index: 0 };

/** Sliders for τ, threshold and reset: the network answers while they move. */
export function makeEditing(page: Page): Part {
  const { models, state } = page;
  const edit = (patch: Partial<Edits>) => page.change({ edits: { ...state().edits, ...patch } });
  /** The first layer's neurons: all layers have the same threshold and reset. */
  const trained = () => models.inUse(state().model)?.neurons[0];
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

  return ({ state: { edits, neuron }, isTraining }) => {
    byId('fieldset', 'edits').disabled = isTraining;
    byId('p', 'locked').hidden = !isTraining;
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
  const [name, input, output] = [
    root.querySelector('span')!,
    root.querySelector('input')!,
    root.querySelector('output')!,
  ];
  input.oninput = () => changed(Number(input.valueAsNumber.toFixed(4)));
  return {
    root,
    show(label: string, value: number, text: string) {
      setText(name, label);
      input.value = String(value);
      input.setAttribute('aria-valuetext', text);
      setText(output, text);
    },
  };
}
