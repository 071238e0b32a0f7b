import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { isRunning, waitForEnd, waitForFile } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type CliProject, repro } from './rig/cli-project.ts';
import { startRunner } from './rig/processes.ts';
import { createProject } from './rig/project.ts';
import { createStagesProject } from './rig/stages-project.ts';

const major = Number(process.versions.node.split('.')[0]);

const stage = `s:
  run: s.mjs
  inputs: [in.txt]
  outputs: [artifacts/s]
`;

/** A project with one stage, which has `fs`, `path`, `os` and its context; `done()` writes its output. */
async function createStage(body: string, yaml = stage): Promise<CliProject> {
  const project = await createStagesProject(yaml);
  await project.write('in.txt', 'input');
  await project.write('s.mjs', moduleOf(body));
  return project;
}

function moduleOf(body: string): string {
  return `import fs from 'node:fs';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { Worker } from 'node:worker_threads';
export default {
  summary: 'A stage.',
  async run({ inputs, outputs, resume, module }) {
    const done = (text = '') => fs.writeFileSync(outputs[0], String(text));
    ${body}
  },
};
`;
}

describe('a stage module may', () => {
  test('read what it declares, by any name, and write its outputs', async () => {
    const outside = await temporaryFolder();
    await fs.mkdir(path.join(outside, 'deep'));
    await fs.writeFile(path.join(outside, 'deep/x'), '3');
    const names = ['in.txt', 'a folder', 'é🙂.txt', 'a, b.txt', '-dash', 'link'];
    const project = await createStage(
      `const [file, folder, ...others] = inputs;
       const external = others.pop();
       const texts = [file, path.join(folder, 'deep/er'), ...others].map((one) => fs.readFileSync(one, 'utf8'));
       texts.push(await readFile(fs.realpathSync(others[3]), 'utf8'));
       texts.push(fs.readFileSync(path.join(fs.realpathSync(external), 'deep/x'), 'utf8'));
       texts.push(fs.readFileSync(path.join('a folder', '../in.txt'), 'utf8'), fs.readdirSync(folder).join());
       fs.mkdirSync(path.join(outputs[0], 'deep'), { recursive: true });
       fs.writeFileSync(path.join(outputs[0], 'deep/.partial'), texts.join('|'));
       fs.renameSync(path.join(outputs[0], 'deep/.partial'), path.join(outputs[0], 'deep/texts'));`,
      `s:
  run: s.mjs
  inputs: [${names.map((name) => JSON.stringify(name)).join(', ')}, {path: "${outside}", external: true}]
  outputs: [artifacts/s]
`,
    );
    await project.write('a folder/deep/er', '1');
    await project.write('a folder/ö', '');
    for (const name of names.slice(2)) if (name !== 'link') await project.write(name, name);
    await project.write('target.txt', 'target');
    await fs.symlink('target.txt', project.at('link'));

    const { exitCode, stderr } = await project.call(['run']);
    expect(stderr).toContain('1 run');
    expect(exitCode).toBe(0);
    expect(project.read('artifacts/s/deep/texts')).toBe(
      'input|1|é🙂.txt|a, b.txt|-dash|target|target|3|input|deep,ö',
    );
  });

  test('read its own sources and the packages of the project, and those above it', async () => {
    const project = await createStage(
      `const { one } = await import('one');
       const { createRequire } = await import('node:module');
       const linked = createRequire(import.meta.url)('linked');
       done([one, linked, data.length > 0, fs.readFileSync(new URL(import.meta.url), 'utf8').length > 0]);`,
    );
    await project.edit('s.mjs', 'export default', "import data from './src/data.json';\nexport default");
    await project.write('src/data.json', '[1]');
    await project.write(
      'node_modules/one/package.json',
      '{"name": "one", "type": "module", "exports": "./i.js"}',
    );
    await project.write(
      'node_modules/one/i.js',
      "import fs from 'node:fs'; export const one = fs.readFileSync(new URL('./data', import.meta.url), 'utf8');",
    );
    await project.write('node_modules/one/data', 'one');
    await project.write('workspace/index.cjs', "module.exports = 'linked';");
    await project.write('workspace/package.json', '{"name": "linked", "main": "index.cjs"}');
    await fs.symlink('../workspace', project.at('node_modules/linked'));
    expect((await project.call(['run'])).stderr).toContain('1 run');
    expect(project.read('artifacts/s')).toBe('one,linked,true,true');
  });

  test('use a temporary folder of its own, threads, and what the system tells about itself', async () => {
    const project = await createStage(
      `const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'x-'));
       fs.writeFileSync(path.join(folder, 'y'), 'z');
       fs.writeFileSync('/dev/null', 'nothing');
       const threads = new Worker('require("node:worker_threads").parentPort.postMessage(' + JSON.stringify(1) + ')', { eval: true });
       const [answer] = await new Promise((resolve) => threads.once('message', (one) => resolve([one])));
       done([os.tmpdir(), answer, os.cpus().length > 0, process.report.getReport().header.nodejsVersion]);`,
    );
    const { exitCode } = await project.call(['run']);
    expect(exitCode).toBe(0);
    const [tmpdir = '', answer] = project.read('artifacts/s').split(',');
    expect(answer).toBe('1');
    expect(tmpdir.startsWith(project.at('artifacts/.cache/tmp/'))).toBe(true);
    await expect(fs.stat(tmpdir)).rejects.toThrow('ENOENT');
  });

  test('use packages that look around on the machine and manage without an answer', async () => {
    const project = await createStage(`const { found } = await import('probe'); done(found);`);
    const manifest = '{"name": "probe", "type": "module", "exports": "./i.js"}';
    await project.write('node_modules/probe/package.json', manifest);
    const probe = (call: string) => `import { execSync } from 'node:child_process';
import fs from 'node:fs';
export let found = 'nothing';
try { ${call}; found = 'something'; } catch {}`;
    for (const call of ["execSync('true')", "fs.readFileSync('/proc/self/environ')"]) {
      await project.write('node_modules/probe/i.js', probe(call));
      expect(await project.call(['run', '--force'])).toMatchObject({ exitCode: 0 });
      expect(project.read('artifacts/s')).toBe('nothing');
    }
    // What is no part of the system, the stage must declare, whoever reads it.
    await project.write('undeclared.txt', 'x');
    await project.write('node_modules/probe/i.js', probe("fs.readFileSync('undeclared.txt')"));
    const { exitCode, stderr } = await project.call(['run', '--force']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('may not read undeclared.txt');
    // And its own code may not look around.
    await project.write('s.mjs', moduleOf("try { fs.readFileSync('/proc/self/environ'); } catch {} done();"));
    expect((await project.call(['run', '--force'])).stderr).toContain('may not read /proc/self/environ');
  });

  test('use packages that look beside Node.js, wherever it is', async () => {
    const program = path.join(await temporaryFolder(), 'bin/node');
    await fs.mkdir(path.dirname(program));
    await fs.copyFile(process.execPath, program, fs.constants.COPYFILE_FICLONE);
    const project = await createStage(`const { found } = await import('probe'); done(found);`);
    await project.write('node_modules/probe/package.json', '{"name": "probe", "exports": "./i.cjs"}');
    await project.write(
      'node_modules/probe/i.cjs',
      `const fs = require('node:fs'), path = require('node:path');
const beside = path.join(path.dirname(process.execPath), 'prebuilds');
exports.found = [fs.existsSync(process.execPath), fs.existsSync(beside), process.execPath];`,
    );
    const { exitCode, stderr } = await execa(program, [repro, 'run'], { cwd: project.root, reject: false });
    expect(exitCode, stderr).toBe(0);
    expect(project.read('artifacts/s')).toBe(`true,false,${program}`);
  });

  test('keep what it resumes from', async () => {
    const project = await createStage(
      `const file = path.join(resume[0], 'state');
       if (!fs.existsSync(file)) { fs.writeFileSync(file, 'half'); throw new Error('interrupted'); }
       done(fs.readFileSync(file, 'utf8'));`,
      `${stage}  resume: [artifacts/s.resume]\n`,
    );
    expect((await project.call(['run'])).exitCode).toBe(1);
    expect((await project.call(['run'])).exitCode).toBe(0);
    expect(project.read('artifacts/s')).toBe('half');
  });
});

describe('a stage module that touches what it does not declare fails', () => {
  test.each([
    ['settings.json', 'settings.json'],
    ['a folder/é: #1.json', '"a folder/é: #1.json"'],
    [`deep/a$\{x}.json`, `"deep/a$$\{x}.json"`],
  ])('with the line to add for %s, which is all it takes', async (name, written) => {
    const project = await createStage(`done(fs.readFileSync(${JSON.stringify(name)}, 'utf8'));`);
    await project.write(name, 'settings');
    const { exitCode, stderr } = await project.call(['run']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      `pipeline.yaml:4:3  stage "s" may not read ${name}: it is not among its inputs.\n` +
        `  Add it to the stage in pipeline.yaml:\n    inputs:\n      - ${written}\n`,
    );
    await project.edit('pipeline.yaml', 'inputs: [in.txt]', `inputs:\n      - in.txt\n      - ${written}`);
    expect((await project.call(['run'])).stderr).toContain('1 run');
    expect(project.read('artifacts/s')).toBe('settings');
  });

  test('with the line to add for a file outside the project', async () => {
    const outside = await temporaryFolder();
    await fs.writeFile(path.join(outside, 'x'), '3');
    const project = await createStage(`done(fs.readFileSync(${JSON.stringify(`${outside}/x`)}, 'utf8'));`);
    const { stderr } = await project.call(['run']);
    const line = `- { path: ${outside}/x, external: true }`;
    expect(stderr).toContain(`may not read ${outside}/x: it is not among its inputs.`);
    expect(stderr).toContain(`    inputs:\n      ${line}\n`);
    await project.edit('pipeline.yaml', 'inputs: [in.txt]', `inputs:\n      - in.txt\n      ${line}`);
    expect((await project.call(['run'])).exitCode).toBe(0);
  });

  /** What it does, from which version of Node.js on and up to which -> its code, and what is said of it. */
  const said: readonly (readonly [
    body: string,
    texts: readonly (string | RegExp)[],
    from?: number,
    to?: number,
  ])[] = [
    // It goes on without the files, and they are all named.
    [
      `await readFile('a.json').catch(() => null);
       try { fs.readdirSync('folder'); } catch {}
       await new Promise((resolve) => fs.stat('b.json', resolve)); done();`,
      [
        'may not read a.json, folder, b.json: they are not among its inputs.',
        '      - a.json\n      - folder\n      - b.json\n',
      ],
    ],
    [
      `await readFile('a.json').catch(() => null); try { fs.writeFileSync('notes.txt', ''); } catch {} done();`,
      [
        'may not read a.json: it is not among its inputs. It may not write notes.txt:',
        '      - a.json\n  Write to context.outputs, here [0] for artifacts/s',
      ],
    ],
    // It would go on for hours.
    [
      `await readFile('a.json').catch(() => null); await new Promise((resolve) => setTimeout(resolve, 1e7));`,
      ['may not read a.json'],
    ],
    [
      `try { fs.readFileSync('a.json'); } catch (cause) { throw new Error('no settings', { cause }); }`,
      ['may not read a.json', 'no settings'],
    ],
    [`fs.fsyncSync(fs.openSync(outputs[0], 'w'));`, ['the runner syncs outputs'], 22],
    // From Node 22 on, threads may read the whole project.
    [
      `const thread = new Worker('require("node:fs").readFileSync("a.json")', { eval: true });
       await new Promise((_, reject) => thread.once('error', reject));`,
      ['may not read a.json'],
      0,
      22,
    ],
    [
      `fs.writeFileSync('notes.txt', 'x'); done();`,
      ['may not write notes.txt', 'Add what is missing to `outputs:`.'],
    ],
    // On the way to its output, which the runner makes.
    [
      `fs.mkdirSync('artifacts', { recursive: true }); done();`,
      ['may not write artifacts: stages write to their outputs only.\n  Write to context.outputs, here [0]'],
    ],
    [
      `(await import('node:child_process')).execFileSync('true'); done();`,
      ['may not start programs', 'hermetic: false'],
    ],
    [`process.binding('fs'); done();`, ['under its permission model', 'hermetic: false']],
    // Node 20.19.0 refuses only what would lead to a file that may not be written; Node 24 allows links.
    [
      `fs.symlinkSync(inputs[0], path.join(os.tmpdir(), 'x')); done();`,
      [/does not allow under its permission model: fs\.symlink|may not write in\.txt/],
      0,
      24,
    ],
  ];

  test('and each is told what to do instead', async () => {
    const here = said.filter(([, , from = 0, to = 99]) => from <= major && major < to);
    const project = await createStage(
      `fs.writeFileSync('artifacts/s', 'x'); done();`,
      stage +
        here
          .map((_, i) => stage.replace('s:', `s${i}:`).replace('s.mjs', `s${i}.mjs`).replace('/s', `/s${i}`))
          .join(''),
    );
    for (const [i, [body]] of here.entries()) await project.write(`s${i}.mjs`, moduleOf(body));
    const { exitCode, stderr } = await project.call(['run']);
    expect(exitCode).toBe(1);
    const saidOf = (id: string): string =>
      stderr.slice(stderr.lastIndexOf(`\n${id} failed: `)).split('\n\n')[0] ?? '';
    expect(saidOf('s')).toContain('stage "s" may not write artifacts/s');
    for (const [i, [body, texts]] of here.entries())
      for (const text of texts) expect(`${saidOf(`s${i}`)}\n`, body).toMatch(text);
    expect(project.read('in.txt')).toBe('input');
    for (const name of ['notes.txt', 'artifacts/own', ...here.map((_, i) => `artifacts/s${i}`)])
      expect(project.has(name), name).toBe(false);
  });
});

test('a stage with limits prints nothing but what it prints itself', async () => {
  const project = await createStage(`console.log('mine'); done();`);
  expect((await project.call(['run'])).exitCode).toBe(0);
  expect(project.read('artifacts/.cache/logs/s.log').split('\n').slice(1)).toEqual(['mine', '']);
});

describe('hermetic: false', () => {
  test('checks nothing, says so in the log, and makes nothing stale', async () => {
    const project = await createStage(
      `(await import('node:child_process')).execFileSync('true'); done(fs.readFileSync('other', 'utf8'));`,
      `${stage}  hermetic: false\n`,
    );
    await project.write('other', 'text');
    expect((await project.call(['run'])).stderr).toContain('1 run');
    expect(project.read('artifacts/s')).toBe('text');
    expect(project.read('artifacts/.cache/logs/s.log')).toContain(
      's.mjs  (hermetic: false, so nothing that it touches is checked)',
    );
    await project.edit('pipeline.yaml', '    hermetic: false\n', '');
    expect((await project.call(['status', '--exit-code'])).exitCode).toBe(0);
  });

  test('is refused for a command, whose files are never limited', async () => {
    const project = await createStagesProject(
      's:\n  cmd: [sh, s.sh]\n  outputs: [artifacts/s]\n  hermetic: false\n',
    );
    await project.expectFailure(
      ['status'],
      2,
      'stage "s": must have property run when property hermetic is present.',
    );
  });
});

describe('a stage module with limits', () => {
  const waiting = `export default { summary: 'Waits.', async run({ resume, signal }) {
    const fs = await import('node:fs');
    signal.addEventListener('abort', () => fs.writeFileSync(resume[0] + '/saved', ''));
    fs.writeFileSync(resume[0] + '/pid', String(process.pid));
    await new Promise((_, reject) => { setInterval(() => signal.aborted && reject(signal.reason), 5); });
  } };`;

  async function start() {
    const project = await createProject();
    await project.write('s.mjs', waiting);
    const resume = ['artifacts/s.resume'];
    project.define([{ id: 's', run: 's.mjs', outputs: ['artifacts/s'], resume, hermetic: true }]);
    const runner = await startRunner(project);
    await waitForFile(project.at('artifacts/s.resume/pid'));
    return { project, runner, pid: Number(project.read('artifacts/s.resume/pid')) };
  }

  test('dies with the runner', async () => {
    const { runner, pid } = await start();
    runner.kill('SIGKILL');
    await waitForEnd(pid);
  });

  test('saves its work when it is interrupted', async () => {
    const { project, runner, pid } = await start();
    runner.kill('SIGINT');
    expect((await runner.ended).code).toBe(130);
    expect(isRunning(pid)).toBe(false);
    expect(project.has('artifacts/s.resume/saved')).toBe(true);
  });
});
