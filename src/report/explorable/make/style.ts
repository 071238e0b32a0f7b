/** The style of the explorable page, beside that of the report. */
export const EXPLORE_STYLE = `
body { max-width: 88rem; }
#explore section { margin-top: 2rem; }
#explore h2 { font-size: 1.05rem; font-weight: 650; letter-spacing: 0; margin: 0 0 .5rem; }
#explore h3 { font-size: .95rem; }
#explore fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
#explore legend { padding: 0; font-size: .85rem; color: var(--muted); }
[hidden] { display: none !important; }
.unseen { position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

button, select { font: inherit; font-size: .925rem; color: var(--ink); background: var(--surface); border: 1px solid var(--grey); border-radius: 4px; padding: .3rem .6rem; }
button { cursor: pointer; background: var(--tint); }
button:hover:enabled { border-color: var(--ink); }
button:disabled { cursor: default; color: var(--muted); border-color: var(--line); }
input[type=range], input[type=radio] { accent-color: var(--link); margin: 0; }
input[type=range] { width: 100%; min-width: 0; height: 1.5rem; }
button:focus-visible, select:focus-visible, canvas:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
output { font-size: .85rem; color: var(--muted); white-space: nowrap; }

.introduction { margin-top: 1.25rem; max-width: 60rem; }
.controls { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(16rem, 100%), 1fr)); gap: .6rem 1.25rem; margin-top: 1.5rem; }
.controls label { display: block; font-size: .85rem; color: var(--muted); line-height: 1.4; }
.controls select { width: 100%; }
/* Whatever one changes or looks at, the step and the answer stay in the window, if it is high enough. */
.top { z-index: 1; margin-top: .75rem; padding: .6rem 0; background: var(--surface); border-bottom: 1px solid var(--line); }
@media (min-height: 40rem) { html { scroll-padding-top: 11rem; } .top { position: sticky; top: 0; } }
.player { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr) 7.5rem; gap: 1rem; align-items: center; }
.player output { text-align: right; }
.problem:empty, .chooser [role=alert]:empty { display: none; }
.problem, .chooser { padding: .75rem 1rem; background: var(--warn); border-left: 4px solid var(--warn-line); border-radius: 3px; max-width: none; }

.stage { display: grid; grid-template-columns: minmax(0, 18rem) minmax(0, 1fr); gap: 1.5rem 2rem; align-items: start; }
#explore .columns > div > section:first-child { margin-top: 1.5rem; }
.counts { font-size: .85rem; margin-top: 1rem; }
.counts th, .counts td { padding: .2rem 1.25rem .2rem 0; }
.counts thead th, .counts td { text-align: right; }
.counts thead > tr > * { border: 0 !important; padding-bottom: .1rem; }
.counts tbody th { color: var(--muted); font-weight: 400; position: static; }
/* As high as words of two lines, so that what is below stays in its place while the networks compute. */
.answer {
  display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: .5rem 1.5rem; align-items: center;
  min-height: 3.75rem; margin-top: .6rem; padding: .3rem 1rem; background: var(--tint); border-radius: 4px;
}
.answer p { margin: 0; max-width: none; line-height: 1.45; }
.answer button { background: var(--surface); }
.deeds { display: flex; flex-wrap: wrap; gap: .4rem; }

.choice { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; align-items: center; font-size: .925rem; }
.choice legend { float: left; margin-right: 1.1rem; }
.choice label, .switch { display: inline-flex; gap: .4rem; align-items: center; min-height: 1.5rem; }
.switch { font-size: .925rem; }
.layer { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 12.5rem); gap: .35rem 1.5rem; margin-top: 1.25rem; align-items: start; }
.layer .title { grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: 0 1rem; align-items: baseline; padding-bottom: .2rem; border-bottom: 1px solid var(--line); }
.layer .title h3, .layer .title p { margin: 0; }
.layer .title p { font-size: .85rem; color: var(--muted); }
.layer .title .rate { margin-left: auto; color: var(--ink); }
/* Whole pixels, but for maps with more neurons than the page has room for. */
.maps { position: relative; width: fit-content; max-width: 100%; }
.layer canvas { cursor: crosshair; max-width: 100%; }
.chosen { position: absolute; aspect-ratio: 1; min-width: 14px; translate: -50% -50%; border: 2px solid var(--ink); outline: 1.5px solid var(--surface); pointer-events: none; }
.events { width: 100%; max-width: 18rem; image-rendering: pixelated; }
.axes { display: grid; grid-template-columns: auto minmax(0, 18rem); justify-content: start; gap: .15rem .4rem; font-size: .8rem; color: var(--muted); }
.axes span { display: flex; justify-content: space-between; } .axes i { font-style: normal; }
.axes > :first-child { writing-mode: vertical-rl; rotate: 180deg; } .axes > :last-child { grid-column: 2; }
.scene audio { display: block; width: 100%; max-width: 18rem; margin: .6rem 0; }

.inspector .name { margin: 0 0 .6rem; font-size: .925rem; }
.slider { display: grid; grid-template-columns: 7rem minmax(0, 1fr) 4rem; gap: .75rem; align-items: center; font-size: .925rem; }
.slider output { text-align: right; color: var(--ink); }
.editing > * + * { margin-top: .6rem; }
/* Of the view before. */
.columns[aria-busy=true] :is(.scene, .verdict, .layers, .inspector) { opacity: .5; }

#explore :is(.own, .recompute) { margin-top: 3rem; padding-top: 1.5rem; border-top: 1px solid var(--line); }
.own .ways { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1.75rem 3rem; align-items: start; margin-top: 1rem; }
.own p { font-size: .925rem; color: var(--muted); }
.own p[role=status] { color: var(--ink); margin: .6rem 0; }
.own label { display: block; margin: 0 0 .5rem; font-size: .925rem; }
.own canvas { display: block; width: min(100%, 20rem); height: auto; margin: .6rem 0; border-radius: 4px; }
#pad { touch-action: none; cursor: crosshair; }
.own input { font: inherit; max-width: 100%; }
.own input[type=number] { width: 5.5rem; }

.recompute p { overflow-wrap: anywhere; }
.recompute .deeds { align-items: center; margin: 1rem 0; }
.recompute fieldset div { display: flex; gap: .6rem; align-items: center; }
.recompute table { table-layout: fixed; width: min(100%, 44rem); font-size: .85rem; }
.recompute thead th:first-child { width: 44%; }
.recompute :is(th, td) { padding: .15rem .3rem; background: none; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.recompute tbody th, .recompute .differs td { white-space: normal; overflow-wrap: anywhere; }
.recompute .same { background: color-mix(in srgb, var(--green) 16%, var(--surface)); th::before { content: '✓ '; } }
.recompute .differs { background: color-mix(in srgb, #e02020 18%, var(--surface)); th::before { content: '✗ '; } }
.recompute a { font-size: .925rem; color: var(--ink); background: var(--tint); border: 1px solid var(--grey); border-radius: 4px; padding: .3rem .6rem; text-decoration: none; }

@media (min-width: 68rem) {
  .columns { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 25rem); gap: 0 3rem; align-items: start; }
  .side { position: sticky; top: 8.5rem; }
}
@media (max-width: 40rem) {
  .stage, .layer { grid-template-columns: minmax(0, 1fr); }
  .answer { grid-template-columns: minmax(0, 1fr); gap: .5rem; padding: .3rem .5rem; font-size: .875rem; }
  /* A longer sentence scrolls, so that the bar leaves room for what one changes. */
  .answer p { max-height: 5.8em; overflow-y: auto; }
  .player { gap: .75rem; grid-template-columns: 5rem minmax(0, 1fr) auto; }
}
/* Drawings. */
#explore canvas, #explore svg { display: block; border-radius: 2px; height: auto; }
#explore svg { width: 100%; max-width: 26rem; }
#explore svg text { font-size: 11px; fill: var(--muted); }
#explore .taus svg { max-width: 16rem; }
.account { color: var(--muted); font-size: .85rem; line-height: 1.4; margin: .25rem 0 0; }

.votes { container-type: inline-size; font-size: .875rem; line-height: 1.35; }
.votes div {
  display: grid; grid-template-columns: 2.4em minmax(0, 13.25rem) minmax(3rem, 1fr) 2.6em; gap: 0 .5rem; align-items: center; padding: .15rem 0;
}
.votes .name { overflow-wrap: anywhere; }
.votes .mark { font-size: .7rem; text-align: right; white-space: nowrap; }
.votes .track { display: grid; height: .8em; background: var(--tint); border-radius: 2px; overflow: hidden; }
.votes .track i { background: var(--grey); }
.votes .leads .track i { background: var(--ink); }
.votes .track i + i { height: .3em; opacity: .55; }
.votes .leads .name, .votes .leads .number { font-weight: 650; }
.votes + .account { padding-left: 2.5rem; }
@container (max-width: 24rem) {
  .votes div { grid-template-columns: 2.2em minmax(0, 1fr) 2.6em; }
  .votes .track { grid-row: 2; grid-column: 2 / -1; height: .45em; }
}

.scale { margin-top: .5rem; display: flex; flex-wrap: wrap; gap: .2rem .6rem; align-items: center; font-size: .8rem; color: var(--muted); }
.scale i { display: inline-block; width: 8rem; height: .7rem; border: 1px solid var(--line); border-radius: 2px; }
.scale i.one { width: .7rem; }
.scale .on { background: var(--vermilion); }
.scale .off { background: var(--blue); }
.scale span { display: inline-flex; gap: .4rem; align-items: center; }

.training [role=status] { margin: .75rem 0 0; min-height: 1.55em; max-width: none; }
.training .panels { grid-template-columns: repeat(auto-fit, minmax(min(13rem, 100%), 1fr)); }
`;
