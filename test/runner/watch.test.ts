import { writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { CliProject } from './rig/cli-project.ts';
import { waitForFile } from './rig/processes.ts';
import { createWordProject } from './rig/word-project.ts';

/** A `repro watch` in its own process. */
class Watch {
  readonly process: ReturnType<CliProject['call']>;
  text = '';

  constructor(project: CliProject, words: readonly string[] = []) {
    this.process = project.call(['watch', ...words]);
    this.process.stderr?.on('data', (data: Buffer) => {
      this.text += data.toString();
    });
    onTestFinished(() => void this.process.kill('SIGKILL'));
  }

  /** Waits until it has settled so many times, and returns what it has said since the time before. */
  async settled(times: number): Promise<string> {
    await vi.waitFor(
      () => {
        const count = this.text.split('Ctrl-C ends').length - 1;
        if (count < times) throw new Error(`settled ${count} times, not ${times}:\n${this.text}`);
      },
      { timeout: 20_000, interval: 20 },
    );
    return this.text.split('Ctrl-C ends')[times - 1] ?? '';
  }

  async end(): Promise<number | undefined> {
    this.process.kill('SIGINT');
    return (await this.process).exitCode;
  }
}

describe('repro watch', () => {
  test('runs what is stale now, and after every change to a source, a script, an input, the profile', async () => {
    const project = await createWordProject();
    const watch = new Watch(project);
    expect(await watch.settled(1)).toContain('3 run in');

    await project.edit('src/shout.ts', "'!'", "'?'");
    const source = await watch.settled(2);
    expect(source).toContain('src/shout.ts changed');
    expect(source).toContain('> words  src/shout.ts changed');
    await project.edit('tools/sum.mjs', 'length - 1', 'length - 2');
    expect(await watch.settled(3)).toContain('2 run, 1 up to date');
    await project.write('configs/words/more.txt', 'more');
    expect(await watch.settled(4)).toContain('configs/words: more.txt is new');
    await project.edit('configs/profiles/small.yaml', 'times: 2', 'times: 3');
    expect(await watch.settled(5)).toContain('words.times: 2 → 3');
    expect(project.read('artifacts/words/text')).toBe('HELLO?HELLO?HELLO?one\ntwo\nthree\n1.0.0');
    expect(await watch.end()).toBe(130);
  });

  test('watches nothing else, not even what it makes', async () => {
    const project = await createWordProject();
    const watch = new Watch(project);
    await watch.settled(1);
    await project.write('src/other.ts', 'export {};');
    await project.write('configs/profiles/large.yaml', 'words: {}');
    await project.write('README.md', 'read me');
    await project.write('artifacts/words/text', 'altered');
    await project.edit('data.txt', 'first', 'third');
    const said = await watch.settled(2);
    expect(said).toContain('\ndata.txt changed\n');
    expect(await watch.end()).toBe(130);
    expect(watch.text.match(/Ctrl-C ends/g)).toHaveLength(2);
  });

  test('watches only what the named stages depend on', async () => {
    const project = await createWordProject();
    const watch = new Watch(project, ['words']);
    await watch.settled(1);
    await project.edit('tools/sum.mjs', 'length - 1', 'length - 2');
    await project.edit('data.txt', 'first', 'third');
    expect(await watch.settled(2)).toContain('\ndata.txt changed\n');
    expect(project.has('artifacts/sum')).toBe(false);
    await watch.end();
  });

  test('survives invalid configuration and code, and goes on once they are mended', async () => {
    const project = await createWordProject();
    const pipeline = project.read('pipeline.yaml');
    const watch = new Watch(project);
    await watch.settled(1);
    await project.write('pipeline.yaml', 'stages: [');
    expect(await watch.settled(2)).toContain('pipeline.yaml:1:');
    await project.write(
      'pipeline.yaml',
      pipeline
        .replace('artifacts/words]', 'artifacts/texts]')
        .replace('[artifacts/words]', '[artifacts/texts]'),
    );
    expect(await watch.settled(3)).toContain('outputs: artifacts/words → artifacts/texts');
    await project.write('src/shout.ts', 'export function shout(');
    expect(await watch.settled(4)).toContain('src/shout.ts:1:');
    await project.write('src/shout.ts', 'export const shout = (text: string) => text;');
    expect(await watch.settled(5)).toContain('3 run in');
    expect(await watch.end()).toBe(130);
  });

  test('begins with a configuration that is invalid or missing, too', async () => {
    const project = await createWordProject();
    const profile = project.read('configs/profiles/small.yaml');
    await project.remove('configs/profiles/small.yaml');
    const watch = new Watch(project);
    expect(await watch.settled(1)).toContain('there is no profile "small"');
    await project.write('configs/profiles/small.yaml', `${profile}letters: [b]\n`);
    expect(await watch.settled(2)).toContain('small.yaml:5:');
    await project.write('configs/profiles/small.yaml', profile);
    expect(await watch.settled(3)).toContain('3 run in');
    await watch.end();
  });

  test('sees files replaced by a rename, folders removed and made again, and links', async () => {
    const project = await createWordProject();
    await fs.rename(project.at('data.txt'), project.at('real.txt'));
    await fs.symlink('real.txt', project.at('data.txt'));
    const watch = new Watch(project);
    await watch.settled(1);
    await project.write('new.ts', project.read('src/shout.ts').replace("'!'", "'?'"));
    await fs.rename(project.at('new.ts'), project.at('src/shout.ts'));
    expect(await watch.settled(2)).toContain('src/shout.ts changed');
    await project.edit('real.txt', 'first', 'third');
    expect(await watch.settled(3)).toContain('data.txt changed');
    await project.remove('configs/words');
    expect(await watch.settled(4)).toContain('configs/words" is');
    await project.write('configs/words/list.txt', 'all\nnew\n');
    expect(await watch.settled(5)).toContain('3 run in');
    await project.write('configs/words/list.txt', 'all\nnewer\n');
    expect(await watch.settled(6)).toContain('3 run in');
    await watch.end();
  });

  test('takes changes that come together as one', async () => {
    const project = await createWordProject();
    const watch = new Watch(project);
    await watch.settled(1);
    for (let i = 0; i < 20; i += 1) writeFileSync(project.at(`configs/words/${i}.txt`), 'more');
    expect(await watch.settled(2)).toMatch(/and \d+ more changed/);
    await watch.end();
    expect(watch.text.match(/Ctrl-C ends/g)).toHaveLength(2);
  });

  test('waits for the end of a run before it takes up a change, or stops it with --restart', async () => {
    const hold = `import fs from 'node:fs';
fs.mkdirSync('counts', { recursive: true });
fs.appendFileSync('counts/sum', 'x\\n');
if (fs.existsSync('hold')) {
  fs.writeFileSync('held', '');
  while (fs.existsSync('hold')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
}
fs.writeFileSync(process.env.REPRO_OUTPUT_0, fs.readFileSync('data.txt'));
`;
    for (const restart of [false, true]) {
      const project = await createWordProject({ 'tools/sum.mjs': hold });
      await project.edit('configs/profiles/small.yaml', '[a, L]', '[a]');
      await project.write('hold', '');
      const watch = new Watch(project, restart ? ['--restart'] : []);
      await waitForFile(project.at('held'));
      await project.edit('data.txt', 'first', 'third');
      if (restart)
        await vi.waitFor(() => expect(watch.text).toContain('interrupted: sum'), { timeout: 20_000 });
      await project.remove('hold');
      await watch.settled(2);
      expect(project.read('artifacts/sum/a')).toContain('third');
      expect(watch.text.includes('interrupted: sum')).toBe(restart);
      await watch.end();
    }
  });

  test('sees changes by looking, with --poll', async () => {
    const project = await createWordProject();
    const watch = new Watch(project, ['--poll', '0.1']);
    await watch.settled(1);
    await project.edit('src/shout.ts', "'!'", "'?'");
    expect(await watch.settled(2)).toContain('src/shout.ts changed');
    await project.write('configs/words/more.txt', 'more');
    expect(await watch.settled(3)).toContain('configs/words: more.txt is new');
    await project.remove('configs/words/more.txt');
    expect(await watch.settled(4)).toContain('configs/words/more.txt changed');
    expect(await watch.end()).toBe(130);
  });
});
