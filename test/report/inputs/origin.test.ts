import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderFigure } from '../../../src/report/drawing/render.ts';
import { drawPipeline } from '../../../src/report/figures/pipeline.ts';
import { readPipeline } from '../../../src/report/inputs/origin.ts';
import { runFactsOf } from '../../../src/runner/freshness/fingerprint.ts';
import { loadPlan } from '../../../src/runner/plan/load.ts';
import { makeResults } from '../result-values.ts';

const projectRoot = resolve(import.meta.dirname, '../../..');

/** What the runner tells the report of this project. */
async function pipelineOf(profile: string) {
  const plan = await loadPlan({ projectRoot, profile });
  const facts = runFactsOf(plan, { find: () => Promise.reject(new Error('no code is asked for')) });
  return readPipeline(await facts.plan?.({}, async () => '', 'report'));
}

describe('the stages of the report', () => {
  it('are those that it depends on, in an order in which they can run', async () => {
    const pipeline = await pipelineOf('quick');
    expect(pipeline.map(({ name, instances, reads }) => [name, instances, reads])).toEqual([
      ['simulate', null, []],
      ['verify', null, ['simulate']],
      ['frames', null, ['simulate', 'verify']],
      ['train', 4, ['frames']],
      ['evaluate', 4, ['frames', 'train']],
      ['report', null, ['verify', 'frames', 'train', 'evaluate']],
    ]);
    expect(pipeline[3]).toMatchObject({
      outputs: ['artifacts/train/*/2020'],
      sources: ['configs/models/*.yaml'],
    });
  });

  it('do not say where data are on this machine', async () => {
    const pipeline = await pipelineOf('full');
    expect(pipeline[0]).toMatchObject({ name: 'verify', sources: ['external data'] });
    expect(JSON.stringify(pipeline)).not.toContain('DvsGesture');
  });

  it('are not drawn if the pipeline does not tell them', () => {
    expect(readPipeline(undefined)).toEqual([]);
  });
});

describe('the drawing of the pipeline', () => {
  const pipeline = [
    { name: 'a', instances: null, outputs: ['artifacts/a'], reads: [], sources: [] },
    { name: 'b', instances: 2, outputs: ['artifacts/b/*', 'artifacts/c'], reads: ['a'], sources: [] },
    {
      name: 'report',
      instances: null,
      outputs: ['artifacts/report'],
      reads: ['a', 'b'],
      sources: ['claims.yaml'],
    },
  ];

  it('has a box per stage and an arrow into each reader', async () => {
    const figure = drawPipeline(makeResults({ pipeline }));
    const { sheet } = await renderFigure(figure, null);
    for (const text of ['b × 2', 'artifacts/b/* + 1', 'report']) expect(sheet).toContain(`>${text}</text>`);
    expect(sheet).not.toMatch(/NaN|undefined/);
    // From a to b, from a past b to the report, and from b to the report.
    expect(JSON.stringify(figure.panels[0]?.spec).match(/<path d=[^>]+ fill=.{2}none/g)).toHaveLength(3);
    expect(figure.alt).toBe('a reads from no other stage. b × 2 reads from a. report reads from a and b.');
  });

  it('has a row per stage and what it reads', () => {
    expect(drawPipeline(makeResults({ pipeline })).data).toEqual([
      ['stage', 'runs', 'reads', 'made_by'],
      ['a', 1, null, null],
      ['b', 2, 'artifacts/a', 'a'],
      ['report', 1, 'artifacts/a', 'a'],
      ['report', 1, 'artifacts/b/*', 'b'],
      ['report', 1, 'artifacts/c', 'b'],
      ['report', 1, 'claims.yaml', null],
    ]);
  });
});
