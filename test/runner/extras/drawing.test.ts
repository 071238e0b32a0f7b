// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the pipeline's own syntax
import { describe, expect, test } from 'vitest';
import { renderGraph } from '../../../src/runner/extras/drawing.ts';
import { arrangeLayers } from '../../../src/runner/extras/layers.ts';
import { planOf } from '../plan/project-fixture.ts';

const pipeline = `version: 1
stages:
  end: {run: stages/a.ts, inputs: [{path: /data/x, external: true}], outputs: [artifacts/end]}
  train:
    matrix: {model: [a, b], seed: [1, 2]}
    run: stages/a.ts
    inputs: [artifacts/end, "models/\${model}.yaml"]
    outputs: ["artifacts/train/\${model}-\${seed}"]
  report: {run: stages/a.ts, inputs: [artifacts/train, artifacts/end/x], outputs: [artifacts/report, artifacts/more]}
  never: {when: false, run: stages/a.ts, outputs: [artifacts/never]}
`;
const plan = () => planOf(pipeline, { 'models/a.yaml': '', 'models/b.yaml': '' });

describe('the drawing of a graph', () => {
  test('as text has one line per stage', async () => {
    expect(renderGraph(await plan(), 'text').split('\n')).toEqual([
      'end       <- /data/x             -> artifacts/end',
      'train x4  <- end, models/*.yaml  -> artifacts/train/*',
      'report    <- end, train          -> artifacts/report, artifacts/more',
      'never     (not in profile none)',
    ]);
  });

  test('as SVG has a box per stage and an arrow into each reader', async () => {
    const svg = renderGraph(await plan(), 'svg');
    expect(svg.match(/>(end|train x4|report|never)</g)).toHaveLength(4);
    // Three edges; the one from end to report passes the layer of train, so it has two parts and one head.
    expect(svg.match(/<path d="M[\d.]+ [\d.]+C/g)).toHaveLength(4);
    expect(svg.match(/marker-end/g)).toHaveLength(3);
    expect(svg).not.toContain('NaN');
  });

  test('as JSON is one versioned document', async () => {
    const document = JSON.parse(renderGraph(await plan(), 'json'));
    expect(document).toMatchObject({ version: 1, profile: 'none', inactive: ['never'] });
    expect(document.instances).toHaveLength(6);
    expect(document.instances[1]).toMatchObject({
      id: 'train@a,1',
      dependencies: ['end'],
      inputs: [
        { path: 'artifacts/end', external: false },
        { path: 'models/a.yaml', external: false },
      ],
    });
  });
});

describe('layers', () => {
  test('put each stage below everything it reads from', () => {
    const layers = arrangeLayers([
      { name: 'a', dependencies: [] },
      { name: 'b', dependencies: ['a'] },
      { name: 'c', dependencies: ['a', 'b'] },
    ]);
    expect(layers.map((layer) => layer.map(({ stage }) => stage))).toEqual([
      ['a'],
      expect.arrayContaining(['b', null]),
      ['c'],
    ]);
  });
});
