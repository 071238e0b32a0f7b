import type { Table } from '../document.ts';
import { joinWords } from '../format.ts';
import type { Results } from '../results.ts';

/** What the report was made with. */
export interface Environment {
  /** `linux x64`. */
  readonly platform: string;
  /** Name and version of what drew the figures: `vega 6.2.0`. */
  readonly packages: readonly string[];
}

/** Engines of the trainings, and what made the page: all of it is in the fingerprints of the stages. */
export function tabulateEnvironment({ models }: Results, { platform, packages }: Environment): Table {
  const engines = new Map<string, string[]>();
  for (const { id, runs } of models) {
    for (const { seed, engine } of runs) {
      const name = `${engine.name} ${engine.version} on ${engine.backend}`;
      engines.set(name, [...(engines.get(name) ?? []), `${id},${seed}`]);
    }
  }
  const trained = [...engines].map(([engine, instances]) => ({
    what: engines.size === 1 ? 'Trained with' : `Trained with, ${joinWords(instances)}`,
    with: engine,
  }));
  const rows = [
    ...trained,
    { what: 'Report made with', with: `Node.js on ${platform}` },
    { what: 'Figures drawn by', with: joinWords(packages) },
  ];
  return {
    id: 'table-environment',
    caption: 'Environment',
    columns: [{ label: 'What' }, { label: 'With' }],
    rows: rows.map((row) => [{ text: row.what }, { text: row.with }]),
    notes: [
      [
        'All other packages are those of package-lock.json: a stage is refused with other versions. ',
        { code: './repro doctor' },
        ' says what this machine has.',
      ],
    ],
  };
}
