import process from 'node:process';
import { version as vega } from 'vega';
import { version as vegaLite } from 'vega-lite';
import { nameEngine } from '../../results/run-file.ts';
import { groupTitles, joinWords } from '../data/format.ts';
import type { Results } from '../data/results.ts';
import { drawPipeline } from '../figures/pipeline.ts';
import { makeTable, type Section, type Table, textColumn } from '../page/document.ts';

/** What the report was made with. */
export interface Environment {
  /** `linux x64`. */
  readonly platform: string;
  /** Name and version of what drew the figures: `vega 6.2.0`. */
  readonly packages: readonly string[];
}

/** The parts of this environment that are in a stage's fingerprint: others could change without making the report stale. */
export function readEnvironment(): Environment {
  return {
    platform: `${process.platform} ${process.arch}`,
    packages: [`Vega ${vega}`, `Vega-Lite ${vegaLite}`],
  };
}

/** The stages of the run, how long they took, and what they ran with. */
export function describePipeline(results: Results, environment: Environment): Section {
  return {
    id: 'pipeline',
    title: 'Pipeline',
    blocks: [
      ...(results.pipeline.length === 0 ? [] : [{ kind: 'figure', figure: drawPipeline(results) } as const]),
      {
        kind: 'paragraph',
        text: ['To see how long each stage took, run ', { code: './repro timeline' }, '.'],
      },
      { kind: 'table', table: tabulateEnvironment(results, environment) },
    ],
  };
}

/** Engines of the trainings, and what made the page: all of it is in the fingerprints of the stages. */
function tabulateEnvironment({ models }: Results, { platform, packages }: Environment): Table {
  const engines = groupTitles(
    models.flatMap(({ id, runs }) => runs.map(({ seed, engine }) => [nameEngine(engine), `${id},${seed}`])),
  );
  const rows = [
    ...engines.map(([engine, instances]) => [
      engines.length === 1 ? 'Trained with' : `Trained with, ${joinWords(instances)}`,
      engine,
    ]),
    ['Report made with', `Node.js on ${platform}`],
    ['Figures drawn by', joinWords(packages)],
  ];
  const note = [
    'All other packages have the versions in package-lock.json; with other versions, no stage starts. ',
    { code: './repro doctor' },
    ' says what this machine has.',
  ];
  return makeTable({ id: 'table-environment', caption: 'Environment', notes: [note] }, rows, [
    textColumn('What', ([what]) => what ?? ''),
    textColumn('With', ([, using]) => using ?? ''),
  ]);
}
