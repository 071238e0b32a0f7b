import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAvailable } from '../native/support.ts';
import { CliProject } from '../runner/rig/cli-project.ts';

/** Without any data. */
let project: CliProject;

beforeAll(async () => {
  project = await CliProject.copyConfiguration();
});

afterAll(() => project.remove('.'));

const doctor = (...words: string[]) => project.call(['doctor', ...words]);

// Independent of a GPU in this machine.
const native = ['--set', 'train.engine=native'];

describe('doctor --plan', () => {
  test.skipIf(!isAvailable)('tells what a model of profile full needs, without any data', async () => {
    const { stdout, stderr, exitCode } = await doctor('--plan', 'baseline', '--profile', 'full', ...native);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^model +Baseline \(configs\/models\/baseline\.yaml\) with profile full$/m);
    expect(stdout).toMatch(/^frames +2 x 128 x 128, T = 20, 11 classes$/m);
    expect(stdout).toMatch(/^network +1,698,311 parameters$/m);
    expect(stdout).toMatch(
      /^training +2\.\d GB of memory for a batch of 16; the largest that fits: [\d,]+$/m,
    );
    expect(stdout).toMatch(/^evaluation +\d+ MB of memory for a batch of 16; /m);
    expect(stdout).toMatch(/\nfits +training needs 2\.\d GB in all$/);
  });

  test.skipIf(!isAvailable)('refuses what does not fit, after saying why, and names what would', async () => {
    // 0.15 GB a sample: 15 TB.
    const huge = ['--plan', 'no-reg', '--profile', 'full', '--set', 'train.batchSize=100000', ...native];
    const { stdout, stderr, exitCode } = await doctor(...huge);
    expect(exitCode).toBe(2);
    expect(stdout).toContain('for a batch of 100000; the largest that fits: ');
    expect(stdout).not.toMatch(/^fits/m);
    expect(stderr).toMatch(
      /^configs\/models\/no-reg\.yaml {2}training needs 1\d(\.\d)? TB of memory for a batch of 100000; [\d.]+ [MGT]B are available\.\n {2}Lower the batch size to \d+ or less: `--set train\.batchSize=\d+`\.$/,
    );
    const json = await doctor(...huge, '--json');
    expect(json.exitCode).toBe(2);
    expect(JSON.parse(json.stdout).plan.fits).toBe(false);
  });

  test.skipIf(!isAvailable)('with --json has the numbers, for a model in any file', async () => {
    await project.write('mine.yaml', project.read('configs/models/no-reg.yaml'));
    const { stdout, exitCode } = await doctor('--plan', './mine.yaml', '--json', ...native);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      command: 'doctor',
      plan: {
        profile: 'quick',
        model: { file: 'mine.yaml', title: 'No Reg.' },
        engine: { name: 'native' },
        memory: {
          parameterBytes: expect.any(Number),
          training: { bytes: expect.any(Number), largestBatch: expect.any(Number) },
          evaluation: { bytes: expect.any(Number) },
          availableBytes: expect.any(Number),
        },
        fits: true,
      },
    });
  });

  test('without the native engine tells what fits in WebAssembly', async () => {
    const { stdout, stderr, exitCode } = await project.call(
      ['doctor', '--plan', 'no-reg', '--profile', 'full'],
      { PLIF_NATIVE_BINARY: project.at('none.node') },
    );
    expect(exitCode).toBe(2);
    expect(stdout).toMatch(/^engine +wasm /m);
    expect(stdout).toMatch(
      /^training +more memory than can be addressed for a batch of 32; the largest that fits: 27$/m,
    );
    expect(stderr).toContain('--set train.batchSize=27');
  });

  test('is what a profile and --set are for', async () => {
    const { exitCode, stderr } = await doctor('--profile', 'full');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--profile and --set only apply to --plan');
  });
});

describe('doctor', () => {
  test.skipIf(!isAvailable)(
    'estimates the full run from a measurement, unless a GPU would do it',
    async () => {
      const { stdout, exitCode } = await doctor('--json');
      expect(exitCode).toBe(0);
      const { findings, fullRun } = JSON.parse(stdout);
      const isMissing = (what: string) =>
        findings.find((one: { what: string }) => one.what === `engine ${what}`).state === 'missing';
      if (!isMissing('tfjs, CUDA') || !isMissing('webgpu, GPU')) return expect(fullRun).toBeNull();
      expect(fullRun).toMatchObject({
        ok: true,
        trainings: 4,
        clips: { trained: 4 * 1256 * 992, evaluated: 4 * 1257 * 457 },
      });
      const { clips, secondsPerClip, seconds, atOnce, threads } = fullRun;
      expect(secondsPerClip.evaluation).toBeGreaterThan(0);
      expect(seconds).toBe(
        (clips.trained * secondsPerClip.training + clips.evaluated * secondsPerClip.evaluation) /
          (atOnce * threads),
      );
    },
  );

  test('does not estimate it without the native engine, and says so', async () => {
    const { stdout, exitCode } = await project.call(['doctor'], {
      PLIF_NATIVE_BINARY: project.at('none.node'),
    });
    expect(exitCode).toBe(0);
    if (/^ok +engine tfjs, CUDA/m.test(stdout)) return expect(stdout).not.toContain('full run ');
    expect(stdout).toMatch(/^missing {2}engine native, CPU/m);
    expect(stdout).toContain('@tensorflow/tfjs-node-gpu');
    expect(stdout).toMatch(
      /^missing {2}full run +its duration could not be estimated\n +Without the native engine, each training uses one core, and takes up to 3.6 times as long on it\.$/m,
    );
  });
});
