// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the pipeline's own syntax
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { JsonObject } from '../../../src/formats/fields.ts';
import { renderFigure } from '../../../src/report/drawing/render.ts';
import { drawPipeline } from '../../../src/report/figures/pipeline.ts';
import { type PipelineFile, readPipeline, readTimelinePlace } from '../../../src/report/inputs/pipeline.ts';
import { foldPlan } from '../../../src/runner/extras/drawing/folded-graph.ts';
import { loadPlan } from '../../../src/runner/plan/load.ts';
import { makeResults } from '../result-values.ts';

const projectRoot = resolve(import.meta.dirname, '../../..');
const read = (stages: PipelineFile['stages'], settings: JsonObject = {}) =>
  readPipeline({ stages }, settings);

describe('the stages of a pipeline file', () => {
  it.each(['quick', 'full', 'nmnist'])(
    'depend on each other as in the plan of profile %s',
    async (profile) => {
      const plan = await loadPlan({ projectRoot, profile });
      const expected = foldPlan(plan).map(({ name, instances, dependencies, outputs }) => ({
        name,
        outputs,
        instances: Object.keys(instances[0]?.matrix ?? {}).length === 0 ? null : instances.length,
        dependencies: [...dependencies].sort(),
      }));
      const { dataset, models, seeds } = plan.settings;
      const file = parse(await readFile(resolve(projectRoot, 'pipeline.yaml'), 'utf8'));
      const stages = readPipeline(file, { dataset, models, seeds });
      const active = stages.filter((stage) => stage.active);
      expect(
        active.map(({ name, instances, reads, outputs }) => ({
          name,
          // As the drawing writes them.
          outputs: outputs.map((output) => output.replace(/\$\{[^}]+\}/g, '*')),
          instances,
          dependencies: [...new Set(reads.flatMap(({ stage }) => stage ?? []))].sort(),
        })),
      ).toEqual(expected);
      expect(stages.filter((stage) => !stage.active).map(({ name }) => name)).toEqual(plan.inactive);
    },
  );

  it('are sorted, each after what it reads from', () => {
    const stages = read({
      report: { inputs: ['artifacts/a/x', { path: '${data}' }] },
      a: { outputs: ['artifacts/a'], inputs: ['artifacts/b'] },
      b: { outputs: ['artifacts/b/part'] },
    });
    expect(stages.map(({ name }) => name)).toEqual(['b', 'a', 'report']);
    expect(stages[2]?.reads).toEqual([
      { path: 'artifacts/a/x', stage: 'a' },
      { path: '${data}', stage: null },
    ]);
  });

  it('are left out by `when`, also by a key that the profile leaves out', () => {
    const one = (when: boolean | string, settings: JsonObject = {}) =>
      read({ one: { when } }, settings)[0]?.active;
    expect(one('${data.simulated}', { data: { simulated: true } })).toBe(true);
    expect(one('${data.simulated}', { data: {} })).toBe(false);
    expect(one('!${data.simulated}', {})).toBe(true);
    expect(one('${constructor}', {})).toBe(false);
    expect(one(false)).toBe(false);
  });

  it('have as many runs as their matrix has combinations, if its lists are known', () => {
    const matrix = { model: '${models}', fold: [1, 2, 3] };
    expect(read({ one: { matrix } }, { models: ['a', 'b'] })[0]?.instances).toBe(6);
    expect(read({ one: { matrix } })[0]?.instances).toBeNull();
    expect(read({ one: {} })[0]?.instances).toBeNull();
  });

  it('show known places of outputs, but not where inputs are on this machine', () => {
    const stage = { outputs: ['${place}'], inputs: [{ path: '${data}' }] };
    const [one] = read({ one: stage }, { place: 'artifacts/x', data: '/home/someone/data' });
    expect(one?.outputs).toEqual(['artifacts/x']);
    expect(one?.reads[0]?.path).toBe('${data}');
  });
});

describe('the drawing of the pipeline', () => {
  const pipeline = read({
    simulate: { when: false, outputs: ['artifacts/simulate'] },
    a: { outputs: ['artifacts/a'] },
    b: { matrix: { seed: [1, 2] }, inputs: ['artifacts/a'], outputs: ['artifacts/b/${seed}', 'artifacts/c'] },
    report: { inputs: ['artifacts/a', 'artifacts/b'], outputs: ['artifacts/report'] },
  });

  it('has a box per stage and an arrow into each reader', async () => {
    const figure = drawPipeline(makeResults({ pipeline }));
    const { sheet } = await renderFigure(figure, null);
    for (const text of ['simulate', 'not part of this run', 'b × 2', 'artifacts/b/* + 1', 'report']) {
      expect(sheet).toContain(`>${text}</text>`);
    }
    expect(sheet).not.toMatch(/NaN|undefined/);
    // From a to b, from a past b to the report, and from b to the report.
    expect(JSON.stringify(figure.panels[0]?.spec).match(/<path d=[^>]+ fill=.{2}none/g)).toHaveLength(3);
    expect(figure.alt).toBe(
      'simulate: not part of this run. a reads from no other stage. b × 2 reads from a. report reads from a and b.',
    );
  });

  it('has a row per stage and input', () => {
    expect(drawPipeline(makeResults({ pipeline })).data).toEqual([
      ['stage', 'part_of_this_run', 'runs', 'reads', 'made_by'],
      ['simulate', 'no', 0, null, null],
      ['a', 'yes', 1, null, null],
      ['b', 'yes', 2, 'artifacts/a', 'a'],
      ['report', 'yes', 1, 'artifacts/a', 'a'],
      ['report', 'yes', 1, 'artifacts/b', 'b'],
    ]);
  });
});

const readPlace = (timeline: string | undefined, output: string, run = 'stages/report.ts') => {
  const stages = { other: { outputs: ['artifacts/b'] }, page: { run, outputs: [output] } };
  const file = { ...(timeline === undefined ? {} : { timeline }), stages };
  return readTimelinePlace(file, 'stages/report.ts', { report: { folder: 'x/y' } });
};

it.each([
  ['beside it', 'artifacts/timeline', 'artifacts/report', '../timeline'],
  ['elsewhere', './artifacts//times/all', 'artifacts/a/report', '../../times/all'],
  ['where a setting says', 'artifacts/timeline', 'artifacts/${report.folder}', '../../timeline'],
])('the timeline is found %s, as seen from the report', (_, timeline, output, place) => {
  expect(readPlace(timeline, output)).toBe(place);
});

it('there is none if the pipeline has no place for it, no report, or one in a place that is not known', () => {
  expect(readPlace(undefined, 'artifacts/report')).toBe(null);
  expect(readPlace('artifacts/timeline', 'artifacts/report', 'stages/other.ts')).toBe(null);
  expect(readPlace('artifacts/timeline', 'artifacts/${seed}')).toBe(null);
});

it('the pipeline of this project has a timeline', async () => {
  const file = parse(await readFile(resolve(projectRoot, 'pipeline.yaml'), 'utf8'));
  expect(readTimelinePlace(file, 'stages/report.ts', {})).toBe('../timeline');
});
