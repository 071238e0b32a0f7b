import process from 'node:process';
import { version as vega } from 'vega';
import { version as vegaLite } from 'vega-lite';
import { nameEngine } from '../../results/run-file.ts';
import { groupTitles, joinWords } from '../data/format.ts';
import type { Results } from '../data/results.ts';
import { TIMELINE_FILES } from '../data/timeline-files.ts';
import { drawPipeline } from '../figures/pipeline.ts';
import { type Block, makeTable, type Section, type Table, textColumn } from '../page/document.ts';

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
      describeTimes(results.timeline),
      { kind: 'table', table: tabulateEnvironment(results, environment) },
    ],
  };
}

const COMMAND = './repro timeline';

/**
 * How long each stage took: a picture beside the page, or the command that draws it. It is not part of the report, because the same results
 * must give the same page.
 *
 * @param folder of the timeline's files, seen from the report; null if the pipeline names none
 */
function describeTimes(folder: string | null): Block {
  const why =
    'differ from run to run, so they are not part of this page, which the same inputs reproduce byte for byte. ';
  if (folder === null) {
    const draw = ' draws it from the records of the runs.';
    return { kind: 'paragraph', text: [`Time and memory of each stage ${why}`, { code: COMMAND }, draw] };
  }
  const address = folder.split('/').map(encodeURIComponent).join('/');
  return {
    kind: 'outside-figure',
    figure: {
      id: 'timeline',
      title: 'Time and memory of each stage',
      caption: [
        `When each stage last ran, for how long, and its peak memory. These ${why}The picture is in `,
        { code: folder },
        '. Every run draws it again, so it may show a later run than the other figures.',
      ],
      alt: 'A timeline of the stages: for each a bar from its start to its end, and one for its memory. The CSV file has the values.',
      picture: `${address}/${TIMELINE_FILES.picture}`,
      data: `${address}/${TIMELINE_FILES.data}`,
      absence: [
        'The picture is missing: the page was copied without it, or it is not drawn yet. Where the stages ran, ',
        { code: COMMAND },
        ' shows it.',
      ],
    },
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
