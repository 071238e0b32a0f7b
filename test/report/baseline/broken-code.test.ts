import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { loadExports } from '../../../src/network/addon/load-addon.ts';
import type { CliProject } from '../../runner/rig/cli-project.ts';
import { createTinyReproduction, verdicts } from './tiny-reproduction.ts';

const baselineFile = 'configs/baselines/tiny.json';

/** One for all tests: each mends what it broke, and what has run once comes from the cache. */
let project: CliProject;
function useProject(engine: string, ...edits: readonly [from: string, to: string][]): void {
  beforeAll(async () => {
    project = await createTinyReproduction(engine);
    for (const [from, to] of edits) await project.edit('configs/profiles/tiny.yaml', from, to);
    const run = await project.call(['run']);
    if (run.exitCode !== 0) throw new Error(run.stderr);
    expect((await project.call(['baseline', 'update'])).exitCode).toBe(0);
  });
  afterAll(() => project.remove('.'));
}

/** Changes a file for the rest of a test. */
async function change(file: string, from: string, to: string): Promise<void> {
  const text = project.read(file);
  onTestFinished(() => project.write(file, text));
  await project.edit(file, from, to);
}

/** Runs what is stale and checks the results: the exit code, and the rules that fail. */
async function runAndCheck(words: readonly string[] = []) {
  const run = await project.call(['run', ...words]);
  if (run.exitCode !== 0) throw new Error(run.stderr);
  const { exitCode, stdout } = await project.call(['check', '--json', ...words]);
  const { ok, checks } = JSON.parse(stdout);
  const { findings } = checks.find(({ kind }: { kind: string }) => kind === 'baseline');
  const failed: { rule: string; text: string }[] = findings.filter(
    (one: { state: string }) => one.state === 'failed',
  );
  return {
    exitCode,
    ok,
    rules: [...new Set(failed.map(({ rule }) => rule))],
    text: failed.map(({ text }) => text).join('\n'),
  };
}

/** What is wrong -> the file, what is correct there and what is wrong instead, and the rule that must notice. */
type Defect = { file: string; from: string; to: string; rule: string };
const defects: Readonly<Record<string, Defect>> = {
  'a surrogate gradient with too heavy tails': {
    file: 'src/network/engines/tfjs/neuron.ts',
    from: 'tf.add(1, tf.square(tf.mul(z, Math.PI / 2)))',
    to: 'tf.add(1, tf.abs(tf.mul(z, Math.PI / 2)))',
    rule: 'first batches',
  },
  'swapped polarities': {
    file: 'src/data/events/frame-counting.ts',
    from: '((i & 1) * height',
    to: '((1 - (i & 1)) * height',
    rule: 'frames',
  },
  'a regulariser that is ignored': {
    file: 'src/training/epoch.ts',
    from: '{ learningRate, tauRate, regulariseTau, regularise',
    to: '{ learningRate, tauRate, regulariseTau: 0, regularise',
    rule: 'σ(τ)',
  },
  'a learning rate that never falls': {
    file: 'src/training/schedule.ts',
    from: 'return (initial * (1 + Math.cos((Math.PI * epoch) / halfPeriod))) / 2;',
    to: 'return initial;',
    rule: 'learning rate',
  },
  'an epoch that is chosen by the test clips': {
    file: 'src/training/epoch.ts',
    from: 'candidate.validationAccuracy >= (best?.validationAccuracy ?? 0)',
    to: '(candidate.testAccuracy ?? 0) > (best?.testAccuracy ?? -1)',
    rule: 'chosen epoch',
  },
  'test clips with the classes of others': {
    file: 'src/training/evaluation.ts',
    from: 'const { splits, frames } = index;',
    to: 'const { frames, classes } = index; const splits = { ...index.splits, test: index.splits.test.map((clip) => ({ ...clip, class: (clip.class + 1) % classes.length })) };',
    rule: 'accuracy',
  },
};

const isOfEngine = ([, { file }]: [string, Defect]): boolean => file.startsWith('src/network/engines/');
const all = Object.entries(defects);

function testDefects(some: readonly [string, Defect][]): void {
  test.each(some)('repro check fails for %s', async (_, { file, from, to, rule }) => {
    await change(file, from, to);
    const { exitCode, ok, rules, text } = await runAndCheck();
    expect([exitCode, ok]).toEqual([4, false]);
    expect(rules).toContain(rule);
    if (rule === 'frames') expect(text).toContain('The two polarities are swapped');
  });
}

// WebAssembly is compiled: an engine can only be broken in TensorFlow.js, which is slow. Its first batches are enough.
describe('on engine tfjs-cpu', () => {
  useProject('tfjs-cpu', ['epochs: 2', 'epochs: 1'], ['downsample: 8', 'downsample: 16']);
  testDefects(all.filter(isOfEngine));
});

describe('on engine wasm', () => {
  useProject('wasm');
  testDefects(all.filter((one) => !isOfEngine(one)));

  describe('repro check passes for', () => {
    const pass = { exitCode: 0, ok: true, rules: [] };
    const sameDigits = (stdout: string) => /^same digits +(\w+)/m.exec(stdout)?.[1];

    test('unbroken code, computed again with another number of threads', async () => {
      const set = ['--set', 'threads=2'];
      await project.call(['run', '--force', 'frames', 'train', ...set]);
      expect(await runAndCheck(set)).toMatchObject(pass);
      expect(sameDigits((await project.call(['check', ...set])).stdout)).toBe('ok');
    });

    test.skipIf(!loadExports().ok)(
      'the native engine, although it rounds otherwise, with another number of threads',
      async () => {
        const words = ['threads=2', 'train.engine=native', 'evaluate.engine=native'];
        expect(await runAndCheck(words.flatMap((word) => ['--set', word]))).toMatchObject(pass);
      },
    );
  });

  describe('repro check', () => {
    test('judges results only if they are those of the present code, and a claim that is not reproduced fails', async () => {
      await project.call(['run']);
      await change('verdicts.json', verdicts('not-applicable'), verdicts('not-reproduced'));
      const stale = await project.call(['check']);
      expect(stale.exitCode).toBe(3);
      expect(stale.stdout).toMatch(/^report +not up to date +verdicts.json changed$/m);
      expect(stale.stdout).toContain('run it first: ./repro run --profile tiny');
      await project.call(['run']);
      const failed = await project.call(['check']);
      expect(failed.exitCode).toBe(4);
      expect(failed.stdout).toContain('1 of 1 judged claims is not reproduced');
      await project.write('verdicts.json', verdicts('inconclusive'));
      await project.call(['run', 'report']);
    });

    test('does not ask for stages that the report does not read', async () => {
      await project.call(['run']);
      const before = project.read('pipeline.yaml');
      onTestFinished(() => project.write('pipeline.yaml', before));
      await project.write('pipeline.yaml', `${before}  notes: {cmd: [touch], outputs: [artifacts/notes]}\n`);
      expect((await project.call(['status', '--exit-code'])).exitCode).toBe(3);
      expect((await project.call(['check'])).exitCode).toBe(0);
    });

    test('compares a run with other epochs on those that both have, and needs a baseline', async () => {
      const set = ['--set', 'train.epochs=1'];
      const { exitCode, rules } = await runAndCheck(set);
      expect([exitCode, rules]).toEqual([0, []]);
      const { stdout } = await project.call(['check', ...set]);
      expect(stdout).toMatch(
        /accuracy +skipped .*not judged after 1 epoch: the baseline was trained for 2 epochs/,
      );
      expect((await project.call(['baseline', 'update', ...set])).stderr).toContain(
        'can be written only for an unchanged profile',
      );
      const text = project.read(baselineFile);
      await project.write(baselineFile, text.slice(0, 900));
      const damaged = await project.call(['check', ...set]);
      expect([damaged.exitCode, damaged.stderr]).toEqual([2, expect.stringContaining(baselineFile)]);
      await project.remove(baselineFile);
      onTestFinished(() => project.write(baselineFile, text));
      const missing = await project.call(['check', ...set]);
      expect(missing.exitCode).toBe(4);
      expect(missing.stdout).toContain('./repro baseline update --profile tiny');
    });
  });

  describe('repro baseline update', () => {
    test('writes what the last run gave, and leaves a file that has it', async () => {
      await project.call(['run']);
      expect((await project.call(['baseline', 'update'])).stdout).toBe(`${baselineFile} is as it should be`);
      const before = project.read(baselineFile);
      onTestFinished(() => project.write(baselineFile, before));
      await project.edit(baselineFile, '"off": ', '"off": 1');
      expect((await project.json(['baseline', 'update'])).written).toBe(true);
      expect(project.read(baselineFile)).toBe(before);
    });

    test('refuses results of other code', async () => {
      await change('stages/train.ts', 'Trains one model', 'Trains a model');
      await project.expectFailure(['baseline', 'update'], 2, 'Run first: ./repro run --profile tiny');
    });
  });
});
