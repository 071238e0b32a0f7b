import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAvailable } from '../native/support.ts';
import { CliProject } from '../runner/rig/cli-project.ts';

/** Without any data. */
let project: CliProject;

beforeAll(async () => {
  project = await CliProject.copyConfiguration();
  project.linkSources();
});

afterAll(() => project.remove('.'));

const doctor = (...words: string[]) => project.call(['doctor', ...words]);

// Independent of a GPU in this machine.
const native = ['--set', 'train.engine=native'];

describe('doctor', () => {
  test.skipIf(!isAvailable)('estimates a full run and a night from a measurement', async () => {
    const { stdout, exitCode } = await doctor('--json');
    expect(exitCode).toBe(0);
    const { runs } = JSON.parse(stdout);
    const [full, overnight] = runs;
    expect([full.profile, overnight.profile]).toEqual(['full', 'overnight']);
    expect(full).toMatchObject({
      ok: true,
      trainings: 4,
      clips: { trained: 4 * 1256 * 992, evaluated: 4 * 1257 * 457 },
    });
    expect(overnight).toMatchObject({ ok: true, trainings: 160 });
    for (const { clips, secondsPerClip, coreSeconds, seconds, atOnce, threads } of runs) {
      expect(secondsPerClip.evaluation).toBeGreaterThan(0);
      expect(coreSeconds).toBe(
        clips.trained * secondsPerClip.training + clips.evaluated * secondsPerClip.evaluation,
      );
      expect(seconds).toBe(coreSeconds / (atOnce * threads));
    }
    expect(overnight.secondsPerClip.training).toBeLessThan(full.secondsPerClip.training);
  });

  test.skipIf(!isAvailable)(
    'estimates any profile on DVS128 Gesture, with the people whom each seed tests',
    async () => {
      const users = Array.from({ length: 29 }, (_, i) => i + 1);
      const folds = JSON.stringify([users.slice(0, 23), users.slice(23)]);
      const settings = [
        `dataset.folds=${folds}`,
        'models=[baseline]',
        'seeds=[2020, 2021]',
        'train.epochs=1',
      ];
      const sets = [...settings, 'evaluate.orders=[mean]'].flatMap((one) => ['--set', one]);
      const words = ['--profile', 'overnight', ...native, ...sets];
      const { runs } = JSON.parse((await doctor(...words, '--json')).stdout);
      // 2021 tests the 24 recordings of the official test users, as a run without folds does. 2020 tests the other 98: of the 24 that are
      // left, 251 clips are trained on, in whole batches, and 37 held back. Everybody is tested once more, in the other order.
      const evaluated = 2 * (169 + 288) + 2 * (37 + 1176) + 122 * 12;
      expect(runs).toMatchObject([
        { profile: 'overnight', ok: true, trainings: 2, clips: { trained: 992 + 240, evaluated } },
      ]);
      const { stdout } = await doctor(...words);
      expect(stdout).toMatch(
        /^ok +profile overnight +about \d.* of training and evaluation on the CPU, \d at a time with \d+ threads? each, if nothing else runs, and the time to read the recordings; [\d.]+ core-hours$/m,
      );
      expect(stdout).not.toContain('profile full');
    },
  );

  test.skipIf(!isAvailable)(
    'estimates a profile on other data from the published counts, and folds as equal',
    async () => {
      const settings = ['seeds=[2020]', 'train.epochs=2', 'train.testEvery=2'];
      const words = [...native, ...settings.flatMap((one) => ['--set', one]), '--json'];
      const clipsOf = async (profile: string, model: string, ...more: string[]) => {
        const named = ['--profile', profile, '--set', `models=[${model}]`, ...more];
        return JSON.parse((await doctor(...named, ...words)).stdout).runs[0].clips;
      };
      // 8,156 clips are 254 batches of 32; those of the test part are evaluated after the second epoch, and once more at the end.
      expect(await clipsOf('shd', 'baseline')).toEqual({ trained: 2 * 254 * 32, evaluated: 2 * 2264 });
      // A quarter of 10,420 clips is tested.
      const folds = await clipsOf('shd', 'baseline', '--set', 'dataset.folds=4');
      expect(folds).toEqual({ trained: 2 * 244 * 32, evaluated: 2 * 2605 });
      // Still images, which the network repeats itself. 9,000 of 60,000 are held back and evaluated three times.
      const images = await clipsOf('fashion-mnist', 'mnist');
      expect(images).toEqual({ trained: 2 * 3187 * 16, evaluated: 3 * 9000 + 2 * 10_000 });
    },
  );

  test.skipIf(!isAvailable)('says of which profiles it cannot know the clips', async () => {
    const { stdout, exitCode } = await doctor('--profile', 'quick', ...native);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^missing {2}profile quick +its duration could not be estimated\n +Trainings on simulated data, or on a part of a data set, are not estimated\.$/m,
    );
  });

  test('says where recordings should be, and the command that fetches them, and fails if those of the named profile are missing', async () => {
    const row = /^(ok|missing) +data +(.*)(?:\n +(\.\/repro data fetch .*))?$/gm;
    const rowsIn = ({ stdout }: { readonly stdout: string }) =>
      [...stdout.matchAll(row)].map((one) => one.slice(1));
    // Another engine is not measured.
    const quickly = ['--set', 'train.engine=tfjs-cpu'];
    expect(rowsIn(await project.call(['doctor'], { PLIF_NATIVE_BINARY: project.at('none.node') }))).toEqual([
      [
        'missing',
        expect.stringMatching(/^DVS128 Gesture: not in .*data\/DvsGesture$/),
        './repro data fetch dvs128-gesture',
      ],
    ]);
    await project.write('data/FashionMNIST/x.gz', '');
    const here = await doctor('--profile', 'rows', ...quickly);
    expect(rowsIn(here)).toEqual([
      ['ok', expect.stringMatching(/^FashionMNIST: in .*data\/FashionMNIST$/), undefined],
    ]);
    expect(here.exitCode).toBe(0);
    expect(rowsIn(await doctor('--profile', 'quick', ...quickly))).toEqual([]);
    const away = await doctor('--profile', 'rows', '--set', 'dataset.root=data/nowhere', ...quickly);
    expect(away.exitCode).toBe(1);
  });

  test('and `profiles` lists what there is to run, with what it trains and the data that are not here', async () => {
    const { profiles } = await project.json(['profiles']);
    expect(profiles.find(({ profile }: { profile: string }) => profile === 'overnight')).toMatchObject({
      trainings: 160,
      data: { isHere: false, fix: './repro data fetch dvs128-gesture' },
    });
    expect((await project.call(['profiles'])).stdout).toMatch(/^quick {2}4 trainings$/m);
  });

  test('tells what is wrong with a profile, and with an engine, where there may be a GPU', async () => {
    const withGpu = (...words: readonly string[]) =>
      project.call(['doctor', '--profile', 'quick', ...words], { REPRO_GPU: 'none of that name' });
    const impossible = await withGpu('--set', 'train.network.layers=9');
    expect(impossible.exitCode, impossible.stderr).toBe(0);
    expect(impossible.stdout).toContain('9 layers halve a frame of 32 x 32 to nothing');
    const { stdout } = await withGpu('--json');
    const golden = project.at('test/golden');
    expect(JSON.parse(stdout).runs).toMatchObject([
      {
        profile: 'quick',
        engines: [
          {
            ...{ choice: 'auto', isRight: null, speed: null, hours: null, isTaken: true },
            ...{ engine: expect.stringMatching(/^(native|wasm) /), problem: expect.stringContaining(golden) },
          },
        ],
      },
    ]);
    expect((await withGpu()).stdout).toMatch(/^(native|wasm) .* {2}\? .*`auto` takes it; .*test\/golden/m);
  });

  test('refuses a profile that does not exist', async () => {
    const { stderr, exitCode } = await doctor('--profile', 'overnigt');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('overnight');
  });

  test('estimates nothing without the native engine, and says so', async () => {
    const { stdout, exitCode } = await project.call(['doctor'], {
      PLIF_NATIVE_BINARY: project.at('none.node'),
    });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^missing {2}engine native, CPU/m);
    expect(stdout).toContain('@tensorflow/tfjs-node-gpu');
    const reason =
      'Without the native engine, each training uses one core, and takes up to 3.6 times as long on it.';
    for (const profile of ['full', 'overnight']) {
      const text = `profile ${profile.padEnd(9)}  +its duration could not be estimated\n +${reason}`;
      expect(stdout).toMatch(new RegExp(`^missing  ${text}$`, 'm'));
    }
  });
});
