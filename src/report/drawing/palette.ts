/**
 * Colours by name, for light and dark backgrounds. The first five hues are from Okabe and Ito's palette, which people with common colour vision
 * deficiencies can distinguish; lightness is adjusted so that each is legible on its background.
 *
 * @see Okabe and Ito 2008, Color Universal Design
 */
export const PALETTE: Readonly<Record<string, { readonly light: string; readonly dark: string }>> = {
  ink: { light: '#1f2328', dark: '#e6e8eb' },
  blue: { light: '#0072b2', dark: '#56b4e9' },
  vermilion: { light: '#d55e00', dark: '#ff8b4d' },
  green: { light: '#008a64', dark: '#2fc49a' },
  purple: { light: '#b0528b', dark: '#e69cc6' },
  amber: { light: '#a87600', dark: '#f0c14b' },
  brown: { light: '#7a4b33', dark: '#cf9f86' },
  cyan: { light: '#0b8fa0', dark: '#67d5e3' },
  olive: { light: '#6b7500', dark: '#c0cc4e' },
  grey: { light: '#6b7280', dark: '#a3abb5' },
  heat: { light: '#3f4a56', dark: '#b6c0cb' },
  surface: { light: '#ffffff', dark: '#14171b' },
  // Texts in cells of that colour, from the palest to the fullest: see `confusion.ts`.
  'on-pale': { light: '#000000', dark: '#ffffff' },
  'on-middle': { light: '#000000', dark: '#000000' },
  'on-heat': { light: '#ffffff', dark: '#000000' },
};

/** Only models have these colours; everything else on the page is in shades of grey. */
const MODEL_COLORS = ['blue', 'vermilion', 'green', 'purple', 'amber', 'brown', 'cyan', 'olive'] as const;

/** @param index of a model, from 0; colours repeat after eight */
export function modelColor(index: number): string {
  return MODEL_COLORS[index % MODEL_COLORS.length] ?? 'ink';
}

/** A palette colour as a CSS variable, which follows the page's colour scheme. */
export function colorVariable(name: string): string {
  return `var(--${name})`;
}

/** Replaces the variables in an SVG with the light colours, for standalone files. */
export function fixColors(svg: string): string {
  return svg
    .replace(/var\(--([a-z-]+)\)/g, (whole, name: string) => PALETTE[name]?.light ?? whole)
    .replaceAll('currentColor', PALETTE.ink?.light ?? '#000');
}
