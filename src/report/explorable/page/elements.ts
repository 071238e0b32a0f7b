import { html } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import { ref } from 'lit-html/directives/ref.js';

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

/** A box to tick. */
export function drawSwitch(label: string, [on, turn]: Choice<boolean>) {
  const change = ({ currentTarget }: EventAt<HTMLInputElement>) => turn(currentTarget.checked);
  return html`<label class="switch"><input type="checkbox" .checked=${live(on)} @change=${change}>${label}</label>`;
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

/** The CSS variables of scales, from the lowest value to the highest, at even distances. `on` and `off`: brighter and darker, by their number. */
const STOPS = {
  spikes: ['tint', 'ink'],
  potential: ['blue', 'tint', 'vermilion'],
  tau: ['tint', 'cyan', 'ink'],
  on: ['tint', 'vermilion'],
  off: ['tint', 'blue'],
} as const;

/** Colours of a scale, and after them that of a spike. */
export const LEVELS = 256;

/** Pixels of `ImageData`, [LEVELS + 1]. */
export type Palette = Readonly<Record<keyof typeof STOPS, Uint32Array>>;

/** Reads the colours that the page has now; read them again when the reader's colour scheme changes. */
export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [LEVELS + 1, 1];
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  const read = (kind: keyof typeof STOPS) => {
    const stops = STOPS[kind].map((name) => style.getPropertyValue(`--${name}`));
    const gradient = context.createLinearGradient(0, 0, LEVELS, 0);
    for (const [i, color] of stops.entries()) gradient.addColorStop(i / (stops.length - 1), color);
    context.fillStyle = gradient;
    context.fillRect(0, 0, LEVELS, 1);
    context.fillStyle = style.getPropertyValue('--ink');
    context.fillRect(LEVELS, 0, 1, 1);
    return new Uint32Array(context.getImageData(0, 0, LEVELS + 1, 1).data.buffer);
  };
  return {
    ...{ spikes: read('spikes'), potential: read('potential'), tau: read('tau') },
    ...{ on: read('on'), off: read('off') },
  };
}

/** A scale as CSS. */
export function gradientOf(kind: keyof typeof STOPS): string {
  return `linear-gradient(to right, ${STOPS[kind].map((name) => `var(--${name})`)})`;
}

/** `<canvas ${fillPixels(width, pixels)}>`; style sheets make it larger. @param pixels of `ImageData`, row by row */
export function fillPixels(width: number, pixels: Uint32Array<ArrayBuffer>) {
  return ref((canvas) => putPixels(canvas, width, pixels));
}

export function putPixels(canvas: unknown, width: number, pixels: Uint32Array<ArrayBuffer>): void {
  if (!(canvas instanceof HTMLCanvasElement)) return;
  const height = pixels.length / width;
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const image = new ImageData(new Uint8ClampedArray(pixels.buffer), width, height);
  canvas.getContext('2d')!.putImageData(image, 0, 0);
}
