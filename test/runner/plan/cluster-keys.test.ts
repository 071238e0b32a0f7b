import { describe, expect, test } from 'vitest';
import { profileFiles, profileHead } from './profiles.ts';
import { planOf } from './project-fixture.ts';

const stage = (resources: string, more = ''): string =>
  `${profileHead}  a:\n    run: stages/a.ts\n    outputs: [artifacts/a]\n    resources: ${resources}\n${more}`;

describe('what a stage asks of a cluster', () => {
  test('is little: to stay here, and whether its memory is its own', async () => {
    const plan = await planOf(stage('{memory: 2G}', '    executor: local\n'), profileFiles);
    expect(plan.instances.get('a')).toMatchObject({ staysLocal: true, hasOwnMemory: true });
    const plain = (await planOf(stage('{cpu: 2}'), profileFiles)).instances.get('a');
    expect([plain?.staysLocal, plain?.hasOwnMemory]).toEqual([undefined, undefined]);
  });
});
