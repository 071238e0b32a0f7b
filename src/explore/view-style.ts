/** Styles of the drawings of the explorable page, beside those of the report. */
export const VIEW_STYLE = `
canvas { display: block; border-radius: 2px; }
.account { color: var(--muted); font-size: .85rem; line-height: 1.4; margin: .25rem 0 0; }

.votes { container-type: inline-size; font-size: .875rem; line-height: 1.35; }
.votes div {
  display: grid; grid-template-columns: 2.4em minmax(0, 13.25rem) minmax(3rem, 1fr) 2.6em; gap: 0 .5rem; align-items: center; padding: .15rem 0;
}
.votes .name { overflow-wrap: anywhere; }
.votes .mark { font-size: .7rem; text-align: right; white-space: nowrap; }
.votes .track { display: grid; height: .8em; background: var(--tint); border-radius: 2px; overflow: hidden; }
.votes .track i { grid-area: 1 / 1; background: var(--grey); transform-origin: left; }
.votes .decision .track i { background: var(--ink); }
.votes .track i + i { display: none; align-self: end; height: 100%; }
.votes.compared .track { height: 1em; grid-template-rows: 60% 40%; }
.votes.compared .track i + i { display: block; grid-row: 2; opacity: .55; }
.votes .decision .name, .votes .decision .number { font-weight: 650; }
.votes:not(.compared) .account span { display: none; }
@container (max-width: 24rem) {
  .votes div { grid-template-columns: 2.2em minmax(0, 1fr) 2.6em; }
  .votes .track { grid-row: 2; grid-column: 2 / -1; height: .45em; }
}
@media (prefers-reduced-motion: no-preference) { .votes .track i { transition: transform .12s linear; } }

.votes .account { padding-left: 3em; }
.scale { margin-top: .5rem; display: flex; flex-wrap: wrap; gap: .2rem .6rem; align-items: center; font-size: .8rem; color: var(--muted); }
.scale i { display: inline-block; width: 8rem; height: .7rem; border: 1px solid var(--line); border-radius: 2px; }
.scale i.one { width: .7rem; }
.scale span { display: inline-flex; gap: .4rem; align-items: center; }
`;
