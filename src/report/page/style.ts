import { PALETTE } from '../drawing/theme.ts';

const variables = (scheme: 'light' | 'dark'): string =>
  Object.entries(PALETTE)
    .map(([name, color]) => `--${name}: ${color[scheme]};`)
    .join(' ');

const LIGHT = `color-scheme: light; ${variables('light')} --muted: #57606a; --line: #d9dde2; --tint: #f5f6f8; --link: #0b62a8;
  --warn: #fff4d6; --warn-line: #b98500; --shade: rgb(0 0 0 / .28);`;
const DARK = `color-scheme: dark; ${variables('dark')} --muted: #a3abb5; --line: #343a41; --tint: #1d2126; --link: #7cc4f0;
  --warn: #3a2e08; --warn-line: #d9a514; --shade: rgb(255 255 255 / .3);`;

/** The page's style sheet: system fonts, the reader's colour scheme, one column that adapts down to the width of a phone. */
export const PAGE_STYLE = `
:root { ${LIGHT} }
@media screen and (prefers-color-scheme: dark) { :root { ${DARK} } }

* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; max-width: 62rem; padding: 0 1.25rem 3rem;
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  color: var(--ink); background: var(--surface); font-variant-numeric: tabular-nums;
}
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible, .scroll:focus-visible, input:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
code { font: .875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; overflow-wrap: anywhere; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--surface); padding: .25rem .5rem; }

.banner { margin: 1.25rem 0 0; padding: .75rem 1rem; background: var(--warn); border-left: 4px solid var(--warn-line); border-radius: 3px; }
.banner p { margin: 0; max-width: none; }

header { margin-top: 2.25rem; }
h1 { font-size: clamp(1.6rem, 4vw, 2.1rem); line-height: 1.2; letter-spacing: -.015em; margin: 0 0 .4rem; text-wrap: balance; }
.subtitle { color: var(--muted); margin: 0 0 1rem; }
.subtitle strong { font-weight: inherit; font-style: italic; }
.explore { margin: .8rem 0 0; }
.facts {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(13.5rem, 45%), 1fr)); gap: .9rem 1.5rem;
  margin: 1.5rem 0 0; padding: 1.1rem 0; border-block: 1px solid var(--line);
}
.facts dt { font-size: .8rem; color: var(--muted); line-height: 1.3; }
.facts dd { margin: .1rem 0 0; line-height: 1.35; overflow-wrap: anywhere; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: .9rem 0 0; padding: 0; font-size: .9rem; }

section { margin-top: 3.25rem; }
h2 { font-size: 1.45rem; line-height: 1.25; letter-spacing: -.01em; margin: 0 0 .8rem; }
summary { cursor: pointer; }
summary h2 { display: inline; }
details[open] summary { margin-bottom: .8rem; }
section:has(> details:not([open])) { margin-top: 1rem; }
h3 { font-size: 1.05rem; line-height: 1.3; margin: 0 0 .2rem; }
p, ul { max-width: 44rem; margin: 0 0 .8rem; }
.lead { font-size: 1.2rem; line-height: 1.45; max-width: 46rem; }
.lead strong { font-weight: 650; }

figure { margin: 2.25rem 0 0; }
figcaption p { color: var(--muted); font-size: .9rem; margin: 0; }
.legend { display: flex; flex-wrap: wrap; gap: .15rem 1.25rem; list-style: none; margin: .5rem 0 0; padding: 0; font-size: .875rem; max-width: none; }
.legend li { display: flex; align-items: center; gap: .45rem; }
.panels { display: grid; gap: 1rem 1.5rem; margin-top: .75rem; align-items: start; }
.panels svg { display: block; width: 100%; height: auto; overflow: visible; }
.panels svg text { font-family: inherit; font-variant-numeric: tabular-nums; }
.columns-2 .panels { grid-template-columns: repeat(auto-fit, minmax(min(21rem, 100%), 1fr)); }
@media (min-width: 56rem) {
  .single { display: grid; grid-template-columns: minmax(0, 19rem) minmax(0, 1fr); gap: 0 2rem; align-items: start; }
  .single .panels { margin-top: 0; }
  .single .legend { flex-direction: column; }
}

.gallery {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(25rem, 100%), 1fr)); gap: 1.75rem 2rem;
  list-style: none; margin: 1.25rem 0 0; padding: 0; max-width: none;
}
.gallery.narrow { grid-template-columns: repeat(auto-fill, minmax(min(8rem, 45%), 1fr)); gap: 1.25rem; }
.gallery img { display: block; max-width: 100%; height: auto; margin: .2rem 0 .4rem; }
@media screen and (prefers-color-scheme: dark) { .gallery.events img, .swatch { filter: invert(1) hue-rotate(180deg); } }
.gallery p { color: var(--muted); font-size: .85rem; line-height: 1.4; margin: 0; overflow-wrap: anywhere; }

.table { margin: 2rem 0 0; }
.table + p, figure + p { margin-top: 2rem; }
/* A shade at each side that hides more: the first two layers move with the content, and cover it at its ends. */
.scroll {
  overflow-x: auto; scrollbar-width: thin;
  background:
    linear-gradient(to right, var(--surface) 40%, transparent) left / 2.5rem 100% no-repeat local,
    linear-gradient(to left, var(--surface) 40%, transparent) right / 2.5rem 100% no-repeat local,
    linear-gradient(to right, var(--shade), transparent) left / .9rem 100% no-repeat scroll,
    linear-gradient(to left, var(--shade), transparent) right / .9rem 100% no-repeat scroll;
}
table { border-collapse: collapse; font-size: .925rem; line-height: 1.4; }
.table > .scroll > table { min-width: min(100%, 30rem); }
.caption { font-weight: 650; font-size: .925rem; margin: 0 0 .5rem; }
th, td { padding: .45rem .9rem .45rem 0; text-align: left; vertical-align: top; font-weight: 400; }
tbody td:last-child, thead tr:first-child th:last-child, thead tr:has(.group:last-child) + tr th:last-child { padding-right: 0; }
thead th { font-size: .82rem; line-height: 1.3; color: var(--muted); vertical-align: bottom; }
thead tr:last-child th, thead th[rowspan] { border-bottom: 1.5px solid var(--ink); }
thead th.group { border-bottom: 1px solid var(--line); padding-bottom: .3rem; color: var(--ink); }
tbody tr + tr > * { border-top: 1px solid var(--line); }
tbody th { font-weight: 500; }
tbody th, thead tr:first-child th:first-child { position: sticky; left: 0; background: var(--surface); }
.number { text-align: right; white-space: nowrap; }
.detail { display: block; color: var(--muted); font-size: .8rem; line-height: 1.35; font-weight: 400; }
.missing { color: var(--muted); }
td.differs { background: linear-gradient(var(--tint), var(--tint)); }
.differs strong { font-weight: 650; }
.note { font-size: .85rem; color: var(--muted); margin: .5rem 0 0; }

.commands { margin: 1rem 0; padding: .9rem 1rem; background: var(--tint); border-radius: 4px; }
.commands div { display: grid; grid-template-columns: minmax(0, 1.4fr) minmax(0, 1fr); gap: 0 1.25rem; padding: .15rem 0; }
.commands dd { margin: 0; color: var(--muted); font-size: .9rem; }

footer { margin-top: 3.5rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .85rem; color: var(--muted); }

@media screen and (max-width: 40rem) {
  /* Their texts would be too small to read. */
  .wide svg { min-width: var(--natural); }
    body { padding-inline: 1rem; }
  section { margin-top: 2.5rem; }
  .commands div { grid-template-columns: minmax(0, 1fr); padding: .35rem 0; }
}
@media print {
  @page { margin: 14mm 16mm; }
  html { font-size: 10pt; }
  body, p, ul { max-width: none; }
  body { padding: 0; }
  section { margin-top: 1.75rem; }
  figure, .table { margin-top: 1.25rem; }
  footer { margin-top: 1rem; }
  nav, .skip { display: none; }
  a { color: inherit; text-decoration: none; }
  h2, h3, figcaption, .caption { break-after: avoid; }
  p, li { orphans: 3; widows: 3; }
  figure, figcaption, .panels svg, tr, .banner, .commands, .gallery li { break-inside: avoid; }
  figcaption p { font-size: .85rem; line-height: 1.4; }
  .panels { gap: .5rem 1rem; margin-top: .5rem; }
  /* Narrower than the page, so that two figures fit on one; the width of a single panel is inline. */
  .single .panels { max-width: 95mm !important; }
  .columns-2 .panels { max-width: 150mm; }
    .gallery { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .75rem 1.5rem; }
  .columns-2 .panels { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .scroll { overflow: visible; background: none; }
  table { font-size: 8.5pt; }
  th, td { padding-right: .55rem; }
  .number { white-space: normal; }
  .detail, thead th { font-size: 7.5pt; }
  details::details-content { content-visibility: visible; block-size: auto; }
  .banner, td.differs, .commands { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
