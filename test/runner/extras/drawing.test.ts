// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the pipeline's own syntax
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { describeGraph, drawGraph, drawMermaid } from '../../../src/runner/extras/drawing.ts';
import { loadPlan } from '../../../src/runner/plan/load.ts';
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
    expect(drawGraph(await plan()).split('\n')).toEqual([
      'end       <- /data/x             -> artifacts/end',
      'train x4  <- end, models/*.yaml  -> artifacts/train/*',
      'report    <- end, train          -> artifacts/report, artifacts/more',
      'never     (not in profile none)',
    ]);
  });

  test('as Mermaid has a node per stage and an arrow for what it reads, and is in the pages as it is', async () => {
    expect(drawMermaid(await plan()).split('\n')).toEqual([
      'flowchart LR',
      '  s0["end"]',
      '  s1["train x4"]',
      '  s2["report"]',
      '  s0 --> s1',
      '  s0 --> s2',
      '  s1 --> s2',
    ]);
    const projectRoot = fileURLToPath(new URL('../../../', import.meta.url));
    const page = readFileSync(`${projectRoot}docs/architecture.md`, 'utf8');
    expect(page).toContain(drawMermaid(await loadPlan({ projectRoot, profile: 'quick' })));
  });

  test('as JSON is one versioned document', async () => {
    const document = describeGraph(await plan());
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
