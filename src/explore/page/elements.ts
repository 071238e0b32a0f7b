import { html } from 'lit-html';
import { live } from 'lit-html/directives/live.js';

/** An event, at the element that listens to it. */
export type EventAt<Target extends Element> = Event & { readonly currentTarget: Target };

type Choice<Value> = readonly [chosen: Value, choose: (value: Value) => void];
type Options<Value> = readonly (readonly [value: Value, text: string])[];

/** `Object.entries`, which forgets what the keys are. */
export function listEntries<Key extends string>(record: Readonly<Record<Key, string>>) {
  return Object.entries(record) as [Key, string][];
}

/** A list to choose from. @param groups of options by their titles; those of `''` are outside of a group */
export function drawSelect<Value extends string | number | null>(
  id: string,
  label: string,
  [chosen, choose]: Choice<Value>,
  groups: Readonly<Record<string, Options<Value>>>,
) {
  const values = Object.values(groups).flatMap((options) => options.map(([value]) => value));
  const change = ({ currentTarget }: EventAt<HTMLSelectElement>) =>
    choose(values[currentTarget.selectedIndex]!);
  const items = Object.entries(groups).map(([title, options]) => {
    const own = options.map(
      ([value, text]) =>
        html`<option value=${value ?? ''} .selected=${live(value === chosen)}>${text}</option>`,
    );
    return title === '' ? own : html`<optgroup label=${title} ?hidden=${own.length === 0}>${own}</optgroup>`;
  });
  return html`<div><label for=${id}>${label}</label><select id=${id} @change=${change}>${items}</select></div>`;
}

/** Radio buttons in a row. */
export function drawChoice<Value extends string>(
  legend: string,
  [chosen, choose]: Choice<Value>,
  options: Readonly<Record<Value, string>>,
) {
  const buttons = listEntries(options).map(
    ([value, text]) => html`<label>
      <input type="radio" name=${legend} .checked=${live(value === chosen)} @change=${() => choose(value)}>${text}
    </label>`,
  );
  return html`<fieldset class="choice"><legend>${legend}</legend>${buttons}</fieldset>`;
}

/** @param shown the value in words */
export function drawSlider(
  label: string,
  [value, change]: Choice<number>,
  [min, max, step]: readonly number[],
  shown: string,
) {
  const slide = ({ currentTarget }: EventAt<HTMLInputElement>) =>
    change(Number(currentTarget.valueAsNumber.toFixed(4)));
  return html`<label class="slider">
    <span>${label}</span>
    <input type="range" min=${min} max=${max} step=${step} .value=${live(String(value))} @input=${slide}
      aria-valuetext=${shown}>
    <output>${shown}</output>
  </label>`;
}

/** Where arrow keys go. */
export const ARROWS: Readonly<Record<string, readonly [right: number, down: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
