import { writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { waitForFile } from '../support/processes.ts';
import type { CliProject } from './rig/cli-project.ts';
import { createWordProject } from './rig/word-project.ts';

/** A `repro watch` in its own process. */
class Watch {
  readonly process: ReturnType<CliProject['call']>;
  text = '';
  #read = 0;

  constructor(project: CliProject, words: readonly string[] = []) {
    this.process = project.call(['watch', ...words]);
    this.process.stderr?.on('data', (data: Buffer) => {
      this.text += data.toString();
    });
    onTestFinished(() => void this.process.kill('SIGKILL'));
  }

  /** Waits until it has said this, and waits for changes again; returns what it has said since the last time. */
  async until(expected: string | RegExp): Promise<string> {
    return vi.waitFor(
      () => {
        const news = this.text.slice(this.#read);
        const at = typeof expected === 'string' ? news.indexOf(expected) : news.search(expected);
        const end = at < 0 ? -1 : news.indexOf('Ctrl-C ends', at);
        if (end < 0) throw new Error(`it has not said "${expected}" yet:\n${news}`);
        this.#read += end + 'Ctrl-C ends'.length;
        return news.slice(0, end);
      },
      { timeout: 20_000, interval: 20 },
    );
  }

  async end(): Promise<number | undefined> {
    this.process.kill('SIGINT');
    return (await this.process).exitCode;
  }
}

/** The word project, watched after its first run, of all or of these stages. */
async function watchWords(...words: readonly string[]) {
  const project = await createWordProject();
  const watch = new Watch(project, words);
  await watch.until(words[0] === 'words' ? '1 run in' : '3 run in');
  return { project, watch };
}

/** A script that waits while there is a file `hold`. */
const holdTool = `import fs from 'node:fs';
if (fs.existsSync('hold')) {
  fs.writeFileSync('held', '');
  while (fs.existsSync('hold')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
}
fs.writeFileSync(process.env.REPRO_OUTPUT_0, fs.readFileSync('data.txt'));
`;

describe('repro watch', () => {
  test('runs what is stale now, and after every change to a source, a script, an input, the profile', async () => {
    const { project, watch } = await watchWords();

    await project.edit('src/shout.ts', "'!'", "'?'");
    expect(await watch.until('> words  src/shout.ts changed')).toContain('\nsrc/shout.ts changed\n');
    await project.edit('tools/sum.mjs', 'length - 1', 'length - 2');
    await watch.until('2 run, 1 up to date');
    await project.write('configs/words/more.txt', 'more');
    await watch.until('configs/words: more.txt is new');
    await project.edit('configs/profiles/small.yaml', 'times: 2', 'times: 3');
    await watch.until('words.times: 2 → 3');
    expect(project.read('artifacts/words/text')).toBe('HELLO?HELLO?HELLO?one\ntwo\nthree\n1.0.0');
    expect(await watch.end()).toBe(130);
  });

  test('watches nothing else, not even what it makes, and takes changes that come together as one', async () => {
    const { project, watch } = await watchWords();
    await project.write('src/other.ts', 'export {};');
    await project.write('configs/profiles/large.yaml', 'words: {}');
    await project.write('README.md', 'read me');
    await project.write('artifacts/words/text', 'altered');
    await project.edit('data.txt', 'first', 'third');
    await watch.until('\ndata.txt changed\n');
    for (let i = 0; i < 20; i += 1) writeFileSync(project.at(`configs/words/${i}.txt`), 'more');
    await watch.until(/and \d+ more changed/);
    expect(await watch.end()).toBe(130);
    expect(watch.text.match(/Ctrl-C ends/g)).toHaveLength(3);
  });

  test('watches only what the named stages depend on', async () => {
    const { project, watch } = await watchWords('words');
    await project.edit('tools/sum.mjs', 'length - 1', 'length - 2');
    await project.edit('data.txt', 'first', 'third');
    await watch.until('\ndata.txt changed\n');
    expect(project.has('artifacts/sum')).toBe(false);
    await watch.end();
  });

  test('survives invalid configuration and code, and goes on once they are mended', async () => {
    const { project, watch } = await watchWords();
    const pipeline = project.read('pipeline.yaml');
    await project.write('pipeline.yaml', 'stages: [');
    await watch.until('pipeline.yaml:1:');
    await project.write(
      'pipeline.yaml',
      pipeline
        .replace('artifacts/words]', 'artifacts/texts]')
        .replace('[artifacts/words]', '[artifacts/texts]'),
    );
    await watch.until('outputs: artifacts/words → artifacts/texts');
    await project.write('src/shout.ts', 'export function shout(');
    await watch.until('src/shout.ts:1:');
    await project.write('src/shout.ts', 'export const shout = (text: string) => text;');
    await watch.until('3 run in');
    expect(await watch.end()).toBe(130);
  });

  test('begins with a configuration that is invalid or missing, too', async () => {
    const project = await createWordProject();
    const profile = project.read('configs/profiles/small.yaml');
    await project.remove('configs/profiles/small.yaml');
    const watch = new Watch(project);
    await watch.until('there is no profile "small"');
    await project.write('configs/profiles/small.yaml', `${profile}letters: [b]\n`);
    await watch.until('small.yaml:5:');
    await project.write('configs/profiles/small.yaml', profile);
    await watch.until('3 run in');
    await watch.end();
  });

  test('sees files replaced by a rename, folders removed and made again, and links', async () => {
    const project = await createWordProject();
    await fs.rename(project.at('data.txt'), project.at('real.txt'));
    await fs.symlink('real.txt', project.at('data.txt'));
    const watch = new Watch(project);
    await watch.until('3 run in');
    await project.write('new.ts', project.read('src/shout.ts').replace("'!'", "'?'"));
    await fs.rename(project.at('new.ts'), project.at('src/shout.ts'));
    await watch.until('src/shout.ts changed');
    await project.edit('real.txt', 'first', 'third');
    await watch.until('data.txt changed');
    await project.remove('configs/words');
    await watch.until('configs/words" is');
    await project.write('configs/words/list.txt', 'all\nnew\n');
    await watch.until('3 run in');
    await project.write('configs/words/list.txt', 'all\nnewer\n');
    await watch.until('3 run in');
    await watch.end();
  });

  test('runs although a file changes all the time', async () => {
    const { project, watch } = await watchWords();
    let count = 0;
    const timer = setInterval(() => writeFileSync(project.at('data.txt'), String(count++)), 30);
    onTestFinished(() => clearInterval(timer));
    await watch.until('\ndata.txt changed\n');
    expect(await watch.end()).toBe(130);
  });

  test('waits for the end of a run before it takes up a change, or stops it with --restart', async () => {
    for (const restart of [false, true]) {
      const project = await createWordProject({ 'tools/sum.mjs': holdTool });
      await project.edit('configs/profiles/small.yaml', '[a, L]', '[a]');
      await project.write('hold', '');
      const watch = new Watch(project, restart ? ['--restart'] : []);
      await waitForFile(project.at('held'));
      await project.edit('data.txt', 'first', 'third');
      if (restart)
        await vi.waitFor(() => expect(watch.text).toContain('interrupted: sum'), { timeout: 20_000 });
      await project.remove('hold');
      await watch.until('\ndata.txt changed\n');
      expect(project.read('artifacts/sum/a')).toContain('third');
      expect(watch.text.includes('interrupted: sum')).toBe(restart);
      await watch.end();
    }
  });

  test('is not interrupted by what it makes in a folder that a later stage reads as a whole', async () => {
    const list = `  list: {cmd: [sh, -c, 'ls artifacts/sum > "$REPRO_OUTPUT_0"'], inputs: [artifacts/sum], outputs: [artifacts/list]}`;
    const project = await createWordProject();
    await project.edit('pipeline.yaml', '  sum:', `${list}\n  sum:`);
    // Folders between the one that is read and the outputs.
    await project.edit('pipeline.yaml', 'letter}"]', 'letter}/of"]');
    const watch = new Watch(project, ['--restart', '--jobs', '1']);
    expect(await watch.until('4 run in')).not.toContain('interrupted');
    await project.edit('tools/sum.mjs', 'length - 1', 'length - 2');
    expect(await watch.until('3 run, 1 up to date')).not.toContain('interrupted');
    await project.edit('data.txt', 'first', 'third');
    await watch.until('\ndata.txt changed\n');
    expect(await watch.end()).toBe(130);
    expect(watch.text.match(/Ctrl-C ends/g)).toHaveLength(3);
  });

  test('survives links that lead in a circle', async () => {
    const { project, watch } = await watchWords('words');
    await project.remove('data.txt');
    await fs.symlink('data.txt', project.at('data.txt'));
    await watch.until('data.txt');
    await fs.symlink('loop', project.at('configs/words/loop'));
    await watch.until('data.txt');
    await project.remove('data.txt');
    await project.write('data.txt', 'new');
    await watch.until('configs/words/loop');
    await project.remove('configs/words/loop');
    await watch.until('1 run in');
    expect(await watch.end()).toBe(130);
  });

  test('begins once another run no longer holds the folder', async () => {
    const project = await createWordProject({ 'tools/sum.mjs': holdTool });
    await project.write('hold', '');
    const other = project.call(['run']);
    await waitForFile(project.at('held'));
    const watch = new Watch(project);
    await watch.until('another run holds this folder');
    await project.remove('hold');
    expect((await other).exitCode).toBe(0);
    await watch.until(/the other run has ended[\s\S]*3 up to date/);
    expect(await watch.end()).toBe(130);
  });
});
