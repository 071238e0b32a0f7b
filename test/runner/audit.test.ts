import { describe, expect, test } from 'vitest';
import { waitForFile } from '../support/processes.ts';
import { CliProject } from './rig/cli-project.ts';

const pipeline = `version: 1
stages:
  make:
    cmd: [node, tools/variant.mjs]
    inputs: [in.txt]
    outputs: [artifacts/make]
    resume: [artifacts/make.resume]
  after:
    cmd: [sh, -c, 'cp artifacts/make/x "$REPRO_OUTPUT_0"']
    inputs: [artifacts/make]
    outputs: [artifacts/after]
  measure:
    run: stages/measure.ts
    outputs: [artifacts/measure]
`;

/** Writes another of the variants each time, and fails if it finds anything to resume from. */
const variantTool = `import fs from 'node:fs';
fs.mkdirSync('counts', { recursive: true });
fs.appendFileSync('counts/make', 'x\\n');
if (fs.existsSync('hold')) { fs.writeFileSync('held', ''); setInterval(() => {}, 1000); }
else {
  if (fs.readdirSync(process.env.REPRO_RESUME_0).length > 0) throw new Error('not from scratch');
  fs.writeFileSync(process.env.REPRO_RESUME_0 + '/state', '');
  const variants = fs.readdirSync('variants').sort();
  const at = fs.readFileSync('counts/make', 'utf8').trim().split('\\n').length % variants.length;
  fs.cpSync('variants/' + variants[at], process.env.REPRO_OUTPUT_0, { recursive: true });
}
`;

const measureStage = `import fs from 'node:fs';
interface Context { outputs: string[]; metrics(values: Record<string, number | string>): void }
export default {
  summary: 'Measures something noisy.',
  async run({ outputs, metrics }: Context) {
    const accuracy = 0.9 + Math.random() / 1000;
    metrics({ accuracy, name: 'noisy' });
    fs.writeFileSync(outputs[0]!, String(accuracy));
  },
};
`;

/** @param variants what `make` writes in turn */
async function createProject(
  ...variants: readonly Readonly<Record<string, string | Uint8Array>>[]
): Promise<CliProject> {
  const project = await CliProject.create({
    'pipeline.yaml': pipeline,
    'tools/variant.mjs': variantTool,
    'stages/measure.ts': measureStage,
    'in.txt': 'in',
  });
  for (const [i, files] of variants.entries()) {
    for (const [name, content] of Object.entries(files))
      await project.write(`variants/${i}/${name}`, content);
  }
  return project;
}

describe('repro audit', () => {
  test('runs a stage twice from scratch and finds the same, without touching its results', async () => {
    const project = await createProject({ text: 'same\n', 'sub/more': 'more' });
    await project.call(['run', 'make']);
    const record = project.read('artifacts/.cache/records/make.json');
    await project.write('artifacts/make/text', 'altered by hand');
    const { exitCode, stdout } = await project.call(['audit', 'make']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^make computes the same again \(2 runs: /);
    expect(stdout).toContain('artifacts/make: equal to the byte in all 2 runs');
    expect(project.count('make')).toBe(3);
    expect(project.read('artifacts/.cache/records/make.json')).toBe(record);
    expect(project.read('artifacts/make/text')).toBe('altered by hand');
    expect(project.has('artifacts/.audit')).toBe(false);
  });

  test('says that all runs differ from the recorded result, as with an input that is not declared', async () => {
    const project = await createProject({ text: 'before\n' });
    await project.call(['run', 'make']);
    await project.write('variants/0/text', 'after\n');
    const { exitCode, stdout } = await project.call(['audit', 'make']);
    expect(exitCode).toBe(4);
    expect(stdout).toContain('artifacts/make: equal to the byte in all 2 runs');
    expect(stdout).toContain('differs from the recorded result of the same code, inputs and parameters');
    await project.write('in.txt', 'another input');
    const other = await project.json(['audit', 'make']);
    expect(other.instances[0]).toMatchObject({ isAsRecorded: null, isSame: true });
  });

  test('names each file that differs, with the byte and the line', async () => {
    const project = await createProject(
      { 'log.txt': 'one\ntwo\nthree\n', equal: 'e', first: '' },
      { 'log.txt': 'one\ntwo\nfour\n', equal: 'e', second: '' },
    );
    const { exitCode, stdout } = await project.call(['audit', 'make']);
    expect(exitCode).toBe(4);
    expect(stdout.split('\n').slice(1)).toEqual([
      '  artifacts/make: 3 differences',
      '    first is not in the first run',
      '    log.txt differs from byte 8 on, 13 and 14 bytes long',
      '      line 3: "four", then "three"',
      '    second is only in the first run',
    ]);
  });

  test('names the first byte that differs of what is no text, however large, and the metrics', async () => {
    const large = Buffer.alloc(3 * 2 ** 20 + 5);
    const other = Buffer.from(large);
    other[3 * 2 ** 20 + 1] = 1;
    const project = await createProject({ large }, { large: other });
    const { instances } = await project.json(['audit', 'make']);
    expect(instances[0].outputs[0].files).toMatchObject([
      { path: 'large', difference: { firstByte: 3 * 2 ** 20 + 1, line: null } },
    ]);
    const { exitCode, stdout } = await project.call(['audit', 'measure']);
    expect(exitCode).toBe(4);
    expect(stdout).toMatch(/ {2}metric accuracy: 0\.90\d+, 0\.90\d+\n?$/);
  });

  test('compares all runs with the first, and keeps them if asked', async () => {
    const project = await createProject({ x: 'a' }, { x: 'b' }, { x: 'c' });
    const { exitCode, stdout, stderr } = await project.call(['audit', 'make', '--runs', '3', '--keep']);
    expect(exitCode).toBe(4);
    expect(stderr).toContain('run 3 of 3');
    expect(stdout).toContain('x differs from byte 0 on (run 2)');
    expect(stdout).toContain('x differs from byte 0 on (run 3)');
    const kept = [1, 2, 3].map((n) => project.read(`artifacts/.audit/run-${n}/make/output-0/make/x`));
    expect(kept).toEqual(['b', 'c', 'a']);
  });

  test('does not compare what failed', async () => {
    const project = await createProject({ x: 'a' });
    await project.write(
      'tools/variant.mjs',
      'console.error("this is why\\u001b[31m \\u0007"); process.exit(7);',
    );
    const { exitCode, stdout, stderr } = await project.call(['audit', 'make']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('this is why');
    expect(stderr).not.toContain('\u001b');
    expect(stderr).not.toContain('\u0007');
    expect(stdout).toContain('make failed, so there is nothing to compare');
    expect(project.has('artifacts/.audit')).toBe(false);
  });

  test('takes the inputs that are in place, and says what makes those that are not', async () => {
    const project = await createProject({ x: 'a' });
    await project.expectFailure(['audit', 'after'], 1, 'Run that first: ./repro run make');
    await project.call(['run', 'make']);
    await project.write('in.txt', 'changed');
    const { exitCode, stdout } = await project.call(['audit', 'after']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('artifacts/after: equal to the byte');
    expect(project.count('make')).toBe(1);
  });

  test('ends with Ctrl-C, and leaves nothing', async () => {
    const project = await createProject({ x: 'a' });
    await project.write('hold', '');
    const running = project.call(['audit', 'make']);
    await waitForFile(project.at('held'));
    running.kill('SIGINT');
    expect((await running).exitCode).toBe(130);
    expect(project.has('artifacts/.audit')).toBe(false);
  });
});
