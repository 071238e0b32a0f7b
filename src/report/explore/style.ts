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
button.link { border: 0; padding: 0; background: none; color: var(--link); text-decoration: underline; text-underline-offset: .15em; text-align: left; }
input[type=range], input[type=radio] { accent-color: var(--link); margin: 0; }
input[type=range] { width: 100%; min-width: 0; height: 1.5rem; }
button:focus-visible, select:focus-visible, canvas:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
output { font-size: .85rem; color: var(--muted); white-space: nowrap; }

.introduction { margin-top: 1.25rem; }
.introduction p { max-width: 60rem; margin: 0 0 .4rem; }
.introduction ul { display: flex; flex-wrap: wrap; gap: .3rem 1.5rem; list-style: none; margin: 0; padding: 0; max-width: none; }
.controls { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(16rem, 100%), 1fr)); gap: .6rem 1.25rem; margin-top: 1.5rem; }
.controls label { display: block; font-size: .85rem; color: var(--muted); line-height: 1.4; }
.controls select { width: 100%; }
.player {
  position: sticky; top: 0; z-index: 1; display: grid; grid-template-columns: 5.5rem minmax(0, 1fr) 7.5rem; gap: 1rem; align-items: center;
  margin-top: .75rem; padding: .6rem 0; background: var(--surface); border-bottom: 1px solid var(--line);
}
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
.answer { grid-column: 1 / -1; display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: .5rem 1.5rem; align-items: center; padding: .75rem 1rem; background: var(--tint); border-radius: 4px; }
.answer p { margin: 0; max-width: none; min-height: 1.55em; font-size: 1.05rem; line-height: 1.45; }
.answer button { background: var(--surface); }

.choice { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; align-items: center; font-size: .925rem; }
.choice legend { float: left; margin-right: 1.1rem; }
.choice label { display: inline-flex; gap: .4rem; align-items: center; min-height: 1.5rem; }
.layer { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 12.5rem); gap: .35rem 1.5rem; margin-top: 1.25rem; align-items: start; }
.layer .title { grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: 0 1rem; align-items: baseline; padding-bottom: .2rem; border-bottom: 1px solid var(--line); }
.layer .title h3, .layer .title p { margin: 0; }
.layer .title p { font-size: .85rem; color: var(--muted); }
.layer .title .rate { margin-left: auto; color: var(--ink); }
.layer canvas { cursor: crosshair; }

.inspector .name { margin: 0 0 .6rem; font-size: .925rem; }
.slider { display: grid; grid-template-columns: 7rem minmax(0, 1fr) 4rem; gap: .75rem; align-items: center; font-size: .925rem; }
.slider output { text-align: right; color: var(--ink); }
.editing > fieldset > * + * { margin-top: .6rem; }
/* Of the view before; not at once, since most views take less. */
.columns[aria-busy=true] :is(.answer p, .scene, .verdict, .layers, .inspector) { opacity: .5; transition: opacity .1s .15s; }

#explore .own { margin-top: 3rem; padding-top: 1.5rem; border-top: 1px solid var(--line); }
.own .ways { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1.75rem 3rem; align-items: start; margin-top: 1rem; }
.own .ways > :has(#pad) { grid-row: span 2; }
.own p { font-size: .925rem; color: var(--muted); }
.own p[role=status] { color: var(--ink); margin: .6rem 0; }
.own label { display: block; margin: 0 0 .5rem; font-size: .925rem; }
.own canvas { display: block; width: min(100%, 20rem); height: auto; margin: .6rem 0; border-radius: 4px; }
#pad { touch-action: none; cursor: crosshair; }
.own progress { display: block; width: min(100%, 20rem); accent-color: var(--link); }
.own input { font: inherit; max-width: 100%; }
.own input[type=number] { width: 5.5rem; }

@media (min-width: 68rem) {
  .columns { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 25rem); gap: 0 3rem; align-items: start; }
  .side { position: sticky; top: 3.5rem; }
}
@media (max-width: 40rem) {
  .stage { grid-template-columns: minmax(0, 1fr); }
  .stage .scene > div { max-width: 18rem; }
  .layer { grid-template-columns: minmax(0, 1fr); }
  .answer { grid-template-columns: minmax(0, 1fr); justify-items: start; }
  .player { gap: .75rem; grid-template-columns: 5rem minmax(0, 1fr) auto; }
}
/* Drawings. */
#explore canvas, #explore svg { display: block; border-radius: 2px; }
.account { color: var(--muted); font-size: .85rem; line-height: 1.4; margin: .25rem 0 0; }

.votes { container-type: inline-size; font-size: .875rem; line-height: 1.35; }
.votes div {
  display: grid; grid-template-columns: 2.4em minmax(0, 13.25rem) minmax(3rem, 1fr) 2.6em; gap: 0 .5rem; align-items: center; padding: .15rem 0;
}
.votes .name { overflow-wrap: anywhere; }
.votes .mark { font-size: .7rem; text-align: right; white-space: nowrap; }
.votes .track { display: grid; height: .8em; background: var(--tint); border-radius: 2px; overflow: hidden; }
.votes .track i { grid-area: 1 / 1; background: var(--grey); transform-origin: left; }
.votes .leads .track i { background: var(--ink); }
.votes .track i + i { display: none; align-self: end; height: 100%; }
.votes.compared .track { height: 1em; grid-template-rows: 60% 40%; }
.votes.compared .track i + i { display: block; grid-row: 2; opacity: .55; }
.votes .leads .name, .votes .leads .number { font-weight: 650; }
.votes + .account { padding-left: 2.5rem; }
@container (max-width: 24rem) {
  .votes div { grid-template-columns: 2.2em minmax(0, 1fr) 2.6em; }
  .votes .track { grid-row: 2; grid-column: 2 / -1; height: .45em; }
}
@media (prefers-reduced-motion: no-preference) { .votes .track i { transition: transform .12s linear; } }

.scale { margin-top: .5rem; display: flex; flex-wrap: wrap; gap: .2rem .6rem; align-items: center; font-size: .8rem; color: var(--muted); }
.scale i { display: inline-block; width: 8rem; height: .7rem; border: 1px solid var(--line); border-radius: 2px; }
.scale i.one { width: .7rem; }
.scale .on { background: var(--vermilion); }
.scale .off { background: var(--blue); }
.scale span { display: inline-flex; gap: .4rem; align-items: center; }

.training .buttons { display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: center; }
.training progress { display: block; width: 100%; height: .4rem; margin: .75rem 0 0; accent-color: var(--link); }
.training [role=status] { margin: .75rem 0 0; min-height: 1.55em; max-width: none; }
.training svg { max-width: 24rem; }
.training svg text { font-size: 11px; fill: var(--muted); }
.training svg .grid { stroke: var(--line); }
.training polyline { fill: none; stroke: var(--ink); stroke-width: 1.5; stroke-linejoin: round; }
.training circle { fill: var(--ink); }
.training .panels { grid-template-columns: repeat(auto-fit, minmax(min(15rem, 100%), 1fr)); }

@media print {
  .controls, .player, .introduction, .editing, .own, .chooser, .answer button, .layers .choice, .training .buttons, .training:not(:has(svg)) { display: none; }
}
`;
