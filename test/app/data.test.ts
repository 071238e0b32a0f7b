import { once } from 'node:events';
import fs from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { encodeAedat3 } from '../../src/data/events/aedat3-encode.ts';
import { openDataset } from '../../src/data/open-dataset.ts';
import { CliProject } from '../runner/rig/cli-project.ts';
import { ALL_FACTS, NMNIST } from '../support/datasets.ts';
import { gestureFiles, writeGestures } from '../support/gesture-fixture.ts';

let project: CliProject;
let folder: string;
beforeEach(async () => {
  project = await CliProject.create({});
  folder = project.root;
});

/** These commands run outside of any project. */
const call = (...words: readonly string[]) => project.call(['data', ...words]);

/** Two events at pixel (1, 2), 100 µs apart. */
const SAMPLE = Uint8Array.of(1, 2, 0x80, 0, 100, 1, 2, 0, 0, 200);

async function writeNmnist(): Promise<string> {
  for (const split of ['Train', 'Test']) {
    for (let digit = 0; digit < 10; digit++)
      await project.write(`nmnist/${split}/${digit}/00001.bin`, SAMPLE);
  }
  return project.at('nmnist');
}

describe('repro data list', () => {
  test('works without a pipeline, for people and for programs', async () => {
    const { stdout, stderr, exitCode } = await call('list');
    expect(stdout).toMatch(/^mnist +still images +10 +60,000 \+ 10,000 +\.\/repro data fetch mnist +-$/m);
    expect(stdout).toMatch(
      /^dvs128-gesture +event recordings +11 +1,176 \+ 288 +\.\/repro data fetch dvs128-gesture +-$/m,
    );
    expect(stdout).toMatch(/^asl-dvs .* by hand +-$/m);
    expect(stdout).toMatch(/^spoken-digits +sound .* in the repository +-$/m);
    expect(stdout).toMatch(/^arabic-digits +sound +10 /m);
    expect(stdout).toMatch(/^two-scales .* \.\/repro run --profile control /m);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    // A folder that a failed download has left has no data.
    for (const name of ['data/CIFAR10/a', 'data/MNIST', 'artifacts/simulate/DvsGesture'])
      await fs.mkdir(path.join(folder, name), { recursive: true });
    await fs.writeFile(path.join(folder, 'data/MNIST/train.gz.repro-part'), '');
    const { datasets } = JSON.parse((await call('list', '--json')).stdout);
    // There may be more, which someone made in this checkout.
    const own = ALL_FACTS.map(({ name }) => datasets.find((one: { name: string }) => one.name === name));
    expect(own.filter(({ present }) => present)).toMatchObject([{ name: 'cifar10' }]);
  });
});

describe('repro data info', () => {
  test('says what is known, the faults too, and how to get it', async () => {
    const { stdout, exitCode } = await call('info', 'dvs128-gesture', '--root', '/data/gestures');
    expect(stdout).toContain('CC BY 4.0');
    expect(stdout).toContain('user22_led_labels.csv');
    expect(stdout).toContain('1,077 + 264');
    expect(stdout).toContain(
      './repro data fetch dvs128-gesture --root /data/gestures\nor by hand, into /data/gestures;',
    );
    expect(exitCode).toBe(0);
    const { stdout: json } = await call('info', 'cifar10', '--json');
    expect(JSON.parse(json)).toMatchObject({
      name: 'cifar10',
      image: { channels: 3 },
      preparation: { augmentation: 'random-crop-flip' },
    });
  });

  test('shows the address and the commit of a folder in a git repository', async () => {
    const git = { url: 'https://data.invalid/sounds.git', commit: '1'.repeat(40), folder: 'a b' };
    const own = await fs.readFile(
      path.join(import.meta.dirname, '../../configs/datasets/nmnist.yaml'),
      'utf8',
    );
    const { files: _, ...facts }: Record<string, unknown> = parse(own);
    await project.write('pipeline.yaml', 'stages: {}\n');
    await project.write('configs/datasets/sounds.yaml', stringify({ ...facts, git }));
    const { stdout } = await call('info', 'sounds');
    expect(stdout).toContain(`the folder a b of ${git.url} at commit ${git.commit}`);
    expect(stdout).toContain('./repro data fetch sounds');
    expect(JSON.parse((await call('info', 'sounds', '--json')).stdout)).toMatchObject({ git });
    await project.write('configs/datasets/sounds.yaml', stringify({ ...facts, files: [], git }));
    await project.expectFailure(['data', 'info', 'sounds'], 2, '`git` has all files');
  });

  test.each([[[]], [['--root', 'nowhere']]])(
    'says that recordings are in the repository: %j',
    async (root) => {
      const { stdout } = await call('info', 'spoken-digits', ...root);
      expect(stdout).toMatch(/^sensor +64 bands$/m);
      expect(stdout).toContain('is in the repository: `git checkout -- configs/recordings/spoken-digits`');
      expect(stdout).toContain('\n   ./repro data verify spoken-digits');
      expect(stdout).not.toMatch(/by hand|nowhere/);
    },
  );

  test('suggests the closest name', async () => {
    await project.expectFailure(['data', 'info', 'minst'], 2, 'Closest: "mnist".');
  });
});

describe('repro data verify', () => {
  test('prints what was found, and warnings to stderr', async () => {
    const root = await writeNmnist();
    const { stdout, stderr, exitCode } = await call('verify', 'nmnist', '--root', root);
    expect(stdout).toMatch(/^clips +10 for training, 10 for testing$/m);
    expect(stderr).toContain("! 10 training samples instead of N-MNIST's 60,000.");
    expect(exitCode).toBe(0);
    const { stdout: json } = await call('verify', 'nmnist', '--root', root, '--json');
    // The command checks in threads, the function here in this one.
    expect(JSON.parse(json)).toEqual(await openDataset(NMNIST).verify(root, { simulated: false }));
  });

  test('checks simulated recordings as such, and says that they are', async () => {
    const root = await writeGestures(project.at('gestures'), gestureFiles(true));
    const { stdout, exitCode } = await call('verify', 'dvs128-gesture', '--root', root);
    expect(stdout).toMatch(/^simulated +no camera, no people$/m);
    expect(exitCode).toBe(0);
  });

  test('ends with 1 and says how to get the data if they are missing or damaged', async () => {
    const missing = await call('verify', 'mnist', '--root', 'nowhere');
    expect(missing.stderr).toMatch(/^the MNIST files were not found: .*nowhere does not exist\.$/m);
    expect(missing.stderr).toContain('./repro data fetch mnist --root nowhere');
    expect(missing.exitCode).toBe(1);
    const root = await writeNmnist();
    await fs.writeFile(path.join(root, 'Test/3/00001.bin'), SAMPLE.subarray(0, 7));
    const damaged = await call('verify', 'nmnist', '--root', root, '--json');
    expect(damaged.stderr).toContain('Test/3/00001.bin: byte 5');
    expect(JSON.parse(damaged.stdout)).toMatchObject({
      error: { code: 'data-corrupt' },
      problems: [expect.stringContaining('Test/3/00001.bin: byte 5')],
    });
    expect(damaged.exitCode).toBe(1);
  });
});

describe('repro data fetch', () => {
  test('says each step for data that can only be downloaded by hand', async () => {
    const { stdout, stderr, exitCode } = await call('fetch', 'asl-dvs');
    expect(stderr).toContain('ASL-DVS cannot be downloaded by a program.');
    expect(stderr).toContain('openi dataset download OpenI/ASLDVS');
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
  });

  test('tries every mirror, through the proxy that there is, and ends with 1 if none gives the file', async () => {
    const asked: string[] = [];
    const proxy = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(404).end();
    });
    proxy.on('connect', (request, socket) => {
      asked.push(request.url ?? '');
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const { port } = proxy.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    try {
      const proxies = { http_proxy: url, https_proxy: url, no_proxy: '' };
      const words = ['data', 'fetch', 'fashion-mnist', '--root', folder];
      const { stderr, exitCode } = await project.call(words, proxies);
      expect(asked).toEqual([
        'github.com:443',
        'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz',
      ]);
      expect(stderr).toContain('train-images-idx3-ubyte.gz  it could not be downloaded:');
      expect(stderr).toContain('the server answered 404 Not Found');
      expect(stderr).toContain(
        'By hand: download it from https://github.com/zalandoresearch/fashion-mnist to ',
      );
      expect(stderr.match(/Licence: MIT\. To cite: Xiao/g)).toHaveLength(1);
      expect(exitCode).toBe(1);
    } finally {
      proxy.close();
    }
  });

  test('ends with 130 on Ctrl-C in mid-download, and says how to continue', async () => {
    const proxy = createServer((_, response) => {
      response.writeHead(200, { 'content-length': 26_421_880 });
      response.write(Buffer.of(0x1f, 0x8b), () => fetching.kill('SIGINT'));
    });
    proxy.on('connect', (_, socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'));
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const proxies = { http_proxy: url, https_proxy: url, no_proxy: '' };
    const fetching = project.call(['data', 'fetch', 'fashion-mnist', '--root', folder], proxies);
    try {
      const { stderr, exitCode } = await fetching;
      expect(stderr).toContain('Interrupted while downloading train-images-idx3-ubyte.gz');
      expect(stderr).toContain('Run the same command again');
      expect(exitCode).toBe(130);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });
});

describe('repro data show', () => {
  test('draws a clip and prints its event rate', async () => {
    const root = await writeNmnist();
    const words = ['show', 'nmnist', 'Test/7/00001.bin', '--root', root];
    const { stdout, exitCode } = await call(...words, '--steps', '3');
    expect(stdout).toMatch(/^class +7$/m);
    expect(stdout).toMatch(/^events +2, 19,802 per second$/m); // 2 events in 101 µs
    expect(exitCode).toBe(0);
    const png = await fs.readFile(path.join(folder, 'Test-7-00001.bin.png'));
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    await project.expectFailure(['data', ...words], 2, 'already exists');
    const seven = await call(...words, '--out', 'seven.png', '--json');
    expect(JSON.parse(seven.stdout)).toMatchObject({ class: '7', events: 2, split: 'test' });
    await project.expectFailure(['data', ...words, '--out', 'seven.gif'], 2, 'ends in .png');
  });

  test('draws recordings of other cameras, and says what it cannot read', async () => {
    const fixtures = path.resolve(import.meta.dirname, '../fixtures/formats');
    const { stdout } = await call('show', path.join(fixtures, 'davis-zstd.aedat4'), '--out', 'own.png');
    expect(stdout).toMatch(/^recording +.*davis-zstd\.aedat4, AEDAT 4\.0, 346 × 260 pixels$/m);
    const old = await call('show', path.resolve(import.meta.dirname, '../golden/recording.aedat'));
    expect(old.stdout).toMatch(/AEDAT 3\.1, 128 × 128 pixels$/m);
    const arrays = await call('show', path.join(fixtures, 'events.npz'));
    expect(arrays.stdout).toMatch(/events\.npz, NumPy, 240 × 180 pixels$/m);
    const far = encodeAedat3({
      tUs: Float64Array.of(1),
      x: Uint16Array.of(30_000),
      y: Uint16Array.of(30_000),
      p: Uint8Array.of(1),
    });
    await fs.writeFile(path.join(folder, 'far.aedat'), far);
    for (const [words, refusal] of [
      [['my-recording.aedat4'], 'my-recording.aedat4  no such file.'],
      [['far.aedat'], '20 frames of 30001 x 30001 pixels are too many.'],
      [[path.join(fixtures, 'expected.json')], 'this is not a recording in AEDAT 2.0, 3.1 or 4.0'],
    ] as const) {
      await project.expectFailure(['data', 'show', ...words], 2, refusal);
    }
  });
});
