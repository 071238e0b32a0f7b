import { PALETTE } from './palette.ts';

/**
 * Makes a standalone drawing follow the reader's colour scheme. Its light colours stay as they are, for programs that know no media
 * queries; browsers on a dark screen replace each with the dark one of the palette. On paper it is light.
 *
 * @param svg in the light colours of the palette. Of two that are the same in light, the first counts: cells of a matrix are not told from
 *   the surface
 */
export function followColorScheme(svg: string): string {
  const rules = new Map<string, string>();
  const { surface, ...others } = PALETTE;
  for (const color of [...(surface === undefined ? [] : [surface]), ...Object.values(others)]) {
    if (rules.has(color.light) || !svg.includes(`"${color.light}"`)) continue;
    rules.set(
      color.light,
      `[fill="${color.light}"] { fill: ${color.dark}; } [stroke="${color.light}"] { stroke: ${color.dark}; }`,
    );
  }
  const style = [
    '<style>',
    // Otherwise a browser puts a light canvas behind a drawing in a dark page.
    ':root { color-scheme: light dark; }',
    `@media screen and (prefers-color-scheme: dark) { ${[...rules.values()].join(' ')} }`,
    '</style>',
  ].join('\n');
  return svg.replace('</desc>', (end) => `${end}\n${style}`);
}
