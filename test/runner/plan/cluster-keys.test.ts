// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the pipeline's own syntax
import { describe, expect, test } from 'vitest';
import { profileFiles, profileHead } from './profiles.ts';
import { planOf, refusalOf } from './project-fixture.ts';

const stage = (resources: string, more = ''): string =>
  `${profileHead}  a:\n    run: stages/a.ts\n    outputs: [artifacts/a]\n    resources: ${resources}\n${more}`;

describe('what a stage asks of a cluster', () => {
  test('is read beside its resources', async () => {
    const text =
      '{memory: 2G, partition: gpu, account: 42, constraint: "a100|h100", arrayLimit: 4, flags: [--exclusive, --licenses=x:1]}';
    const plan = await planOf(stage(text, '    executor: local\n'), profileFiles);
    expect(plan.instances.get('a')?.cluster).toEqual({
      staysLocal: true,
      hasOwnMemory: true,
      partition: 'gpu',
      account: '42',
      constraint: 'a100|h100',
      arrayLimit: 4,
      flags: ['--exclusive', '--licenses=x:1'],
    });
  });

  test('is nothing by default, and the memory is then not its own', async () => {
    const plan = await planOf(stage('{cpu: 2}'), profileFiles);
    expect(plan.instances.get('a')?.cluster).toEqual({ staysLocal: false, hasOwnMemory: false, flags: [] });
  });

  test.each([
    ['{flags: [--array=1-3]}', 'flag --array is set by the runner itself'],
    ['{flags: ["--exclusive\\n#SBATCH --uid=0"]}', 'is not an option of sbatch'],
    ['{partition: "a\\nb"}', 'partition "a\\nb" is not a name'],
    ['{arrayLimit: "0"}', 'arrayLimit "0" is not a whole number'],
    ['{partitoin: gpu}', 'Closest: "partition"'],
  ])('%s is refused with its place', async (text, message) => {
    const refusal = await refusalOf(stage(text), profileFiles);
    expect(refusal).toContain(message);
    expect(refusal).toMatch(/^pipeline\.yaml:\d+:\d+ /);
  });
});
