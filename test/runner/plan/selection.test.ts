// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the pipeline's own syntax
import { describe, expect, test } from 'vitest';
import { describeError } from '../../../src/base/errors.ts';
import { matchInstances, type StageSelection, selectInstances } from '../../../src/runner/plan/selection.ts';
import { planOf } from './project-fixture.ts';

describe('a selection', () => {
  const pipeline = `version: 1
stages:
  simulate: {when: false, run: stages/a.ts, outputs: [artifacts/simulate]}
  verify: {run: stages/a.ts, outputs: [artifacts/verify]}
  frames: {run: stages/a.ts, inputs: [artifacts/verify], outputs: [artifacts/frames]}
  train:
    matrix: {model: [base, deep], seed: [1, 2]}
    run: stages/a.ts
    inputs: [artifacts/frames]
    outputs: ["artifacts/train/\${model}/\${seed}"]
  evaluate:
    matrix: {model: [base, deep], seed: [1, 2]}
    run: stages/a.ts
    inputs: [artifacts/frames, "artifacts/train/\${model}/\${seed}"]
    outputs: ["artifacts/evaluate/\${model}/\${seed}"]
  report: {run: stages/a.ts, inputs: [artifacts/evaluate, artifacts/verify], outputs: [artifacts/report]}
  notes: {run: stages/a.ts, outputs: [artifacts/notes]}
`;
  const trains = ['train@base,1', 'train@base,2', 'train@deep,1', 'train@deep,2'];
  const evaluates = trains.map((id) => id.replace('train', 'evaluate'));
  const all = ['verify', 'frames', ...trains, ...evaluates, 'report', 'notes'];

  async function select(selection: StageSelection): Promise<string[]> {
    return [...selectInstances(await planOf(pipeline), selection).selected];
  }

  async function refuse(selection: StageSelection): Promise<string> {
    return select(selection).then(
      (ids) => `selected ${ids.join(' ')}`,
      (error: unknown) => describeError(error),
    );
  }

  test('of nothing is everything, in plan order', async () => {
    expect(await select({})).toEqual(all);
    expect(await select({ targets: [], from: undefined, until: undefined })).toEqual(all);
  });

  test('of a stage is all its instances and what they need', async () => {
    expect(await select({ targets: ['train'] })).toEqual(['verify', 'frames', ...trains]);
    expect(await select({ targets: ['verify'] })).toEqual(['verify']);
  });

  test('of one instance leaves the others alone', async () => {
    expect(await select({ targets: ['evaluate@deep,1'] })).toEqual([
      'verify',
      'frames',
      'train@deep,1',
      'evaluate@deep,1',
    ]);
  });

  test('of several is what any of them needs', async () => {
    expect(await select({ targets: ['train@base,2', 'notes', 'train@base,2'] })).toEqual([
      'verify',
      'frames',
      'train@base,2',
      'notes',
    ]);
  });

  test('from a stage is everything that depends on it, with what that needs', async () => {
    expect(await select({ from: 'evaluate' })).toEqual(all.filter((id) => id !== 'notes'));
    expect(await select({ from: 'notes' })).toEqual(['notes']);
    expect(await select({ from: 'train@base,1' })).toEqual(all.filter((id) => id !== 'notes'));
  });

  test('until a stage is what it needs', async () => {
    expect(await select({ until: 'frames' })).toEqual(['verify', 'frames']);
  });

  test('between two stages is everything between them, with what that needs', async () => {
    expect(await select({ from: 'frames', until: 'train' })).toEqual(['verify', 'frames', ...trains]);
    expect(await select({ from: 'train@base,1', until: 'evaluate' })).toEqual([
      'verify',
      'frames',
      'train@base,1',
      'evaluate@base,1',
    ]);
    expect(await refuse({ from: 'report', until: 'frames' })).toBe(
      'there is nothing between "report" and "frames"\n  "frames" does not depend on "report": `./repro graph` shows what does.',
    );
  });

  test.each([
    ['train@base', ['train@base,1', 'train@base,2']],
    ['train@*,2', ['train@base,2', 'train@deep,2']],
    ['train@*', trains],
    ['train@*,*', trains],
    ['train@deep,2', ['train@deep,2']],
  ])('takes the pattern %s', async (pattern, expected) => {
    expect(matchInstances(await planOf(pipeline), pattern)).toEqual(expected);
  });

  test('distinguishes what was selected from what it only needs', async () => {
    const plan = await planOf(pipeline);
    const named = (selection: StageSelection) => [...selectInstances(plan, selection).named];
    expect(named({})).toEqual(all);
    expect(named({ targets: ['train@*,2', 'frames'] })).toEqual(['frames', 'train@base,2', 'train@deep,2']);
    expect(named({ targets: ['train@base'] })).toEqual(['train@base,1', 'train@base,2']);
    expect(named({ from: 'train', until: 'evaluate' })).toEqual([...trains, ...evaluates]);
    expect(named({ from: 'evaluate' })).toEqual([...evaluates, 'report']);
  });

  test.each(
    Object.entries<string>({
      trian: 'there is no stage "trian"\n  Closest: "train".',
      quux: 'there is no stage "quux"\n  Known: "verify", "frames", "train", "evaluate", "report", "notes", "simulate".',
      simulate:
        'profile "none" leaves out stage "simulate"\n  Its `when:` in the pipeline file says which profiles include it.',
      'train@bsae,1': 'stage "train" has no instance "train@bsae,1"\n  Closest: "train@base,1".',
      'train@other,9':
        'stage "train" has no instance "train@other,9"\n  Known: "train@base,1", "train@base,2", "train@deep,1", "train@deep,2".\n  If it is of a run with --set, add the same --set.',
      'train@base,1,x': 'stage "train" has no instance "train@base,1,x"\n  Closest: "train@base,1".',
      'train@': 'stage "train" has no instance "train@"',
      'verify@base': 'stage "verify" has no instance "verify@base"\n  Known: "verify".',
      '': 'there is no stage ""',
    }),
  )('of "%s" is rejected', async (target, expected) => {
    expect(await refuse({ targets: [target] })).toContain(expected);
    await expect(select({ from: target })).rejects.toMatchObject({ code: 'usage' });
  });
});
