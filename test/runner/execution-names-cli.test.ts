import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CliProject, repro } from './rig/cli-project.ts';

/** JSON is YAML, and quotes every name. */
interface StageEntry {
  readonly cmd?: readonly string[];
  readonly run?: string;
  readonly inputs?: readonly unknown[];
  readonly outputs: readonly string[];
  readonly matrix?: Readonly<Record<string, readonly string[]>>;
}

/** @param name of the project's folder */
async function createProject(
  stages: Readonly<Record<string, StageEntry>>,
  name = 'project',
): Promise<CliProject> {
  const parent = await fs.mkdtemp(path.join(os.tmpdir(), 'repro-names-'));
  // Unlike Node, it removes what has too long a path.
  onTestFinished(async () => void (await execa('rm', ['-rf', parent])));
  const project = new CliProject(path.join(parent, name));
  const profiles = { folder: 'configs/profiles', default: 'p' };
  await project.write('pipeline.yaml', JSON.stringify({ version: 1, profiles, stages }));
  await project.write('configs/profiles/p.yaml', 'x: 1\n');
  return project;
}

/** The same with a stage `s` that reads the folder `in` and runs a script. */
async function createStage(script: string, name?: string): Promise<CliProject> {
  const project = await createProject(
    { s: { cmd: ['sh', '-c', script], inputs: ['in'], outputs: ['artifacts/s'] } },
    name,
  );
  await fs.mkdir(project.at('in'));
  return project;
}

const copyIn = 'cp -R in "$REPRO_OUTPUT_0"';

const shell = (cwd: string, script: string) => execa('sh', ['-c', script], { cwd });

const copy = (input: string): readonly string[] => [
  'sh',
  '-c',
  'cp -R -- "$1" "$REPRO_OUTPUT_0"',
  'sh',
  input,
];

/** Names that shells, URLs, YAML and command lines read in their own ways. */
const oddNames = [
  'it\'s "quoted" `now` $HOME',
  '100% #1? & more; (done) [x] {y}',
  '-rf --force',
  '🎓 模型 Ünïcode',
  ' leading and trailing ',
  '~',
  'a,b@c=d',
  'x'.repeat(255),
];

describe('names on the command line', () => {
  test('work as inputs, as outputs, and in folders', async () => {
    const project = await createProject(
      Object.fromEntries(
        oddNames.flatMap((name, i): [string, StageEntry][] => [
          [`copy${i}`, { cmd: copy(`in/${name}`), inputs: [`in/${name}`], outputs: [`artifacts/${name}`] }],
          [
            `again${i}`,
            {
              cmd: copy(`artifacts/${name}`),
              inputs: [`artifacts/${name}`],
              outputs: [`artifacts/again/${i}`],
            },
          ],
        ]),
      ),
    );
    const write = async (text: string): Promise<void> => {
      for (const name of oddNames) await project.write(path.join('in', name, name), text);
    };
    const read = () => oddNames.map((name, i) => project.read(path.join(`artifacts/again/${i}`, name)));
    await write('one');
    expect((await project.call(['run'])).stderr).toContain('16 run in ');
    expect(read()).toEqual(oddNames.map(() => 'one'));
    for (const name of oddNames) await project.remove(path.join('artifacts', name));
    const { stderr } = await project.call(['run']);
    expect(stderr.match(/restored from the store/g)).toHaveLength(8);
    expect(stderr).not.toContain(' run in ');
    await write('two');
    expect((await project.call(['run'])).stderr).toContain('16 run in ');
    expect(read()).toEqual(oddNames.map(() => 'two'));
  });

  test.each(['it\'s "quoted" 100% #1? & (x) $HOME 🎓 Ünïcode 模型'])(
    'a project in the folder %j runs stages, those in TypeScript too',
    async (name) => {
      const project = await createProject(
        { module: { run: "stages/it's.ts", inputs: ['in'], outputs: ['artifacts/module'] } },
        name,
      );
      await project.write('stages/with space.ts', 'export const word = (): string => "made";\n');
      await project.write(
        "stages/it's.ts",
        `import { copyFile } from 'node:fs/promises';
import { word } from './with space.ts';
export default {
  summary: 'Copies a file.',
  async run({ inputs, outputs, note }: { inputs: string[]; outputs: string[]; note: (text: string) => void }) {
    note(word());
    await copyFile(inputs[0]!, outputs[0]!);
  },
};
`,
      );
      await project.write('in', 'content');
      const { stderr } = await project.call(['run']);
      expect(stderr).toContain('  module  made');
      expect(project.read('artifacts/module')).toBe('content');
      const { stdout } = await execa(process.execPath, [repro, '--project', `./${name}`, 'status'], {
        cwd: path.dirname(project.root),
      });
      expect(stdout).toContain('up to date');
    },
  );
});

describe('long paths', () => {
  /** Makes folders below `start` until a file in the last one has an absolute path of this many bytes; `cd` has no limit. */
  const makeDeep = (folder: string, start: string, bytes: number) =>
    shell(
      folder,
      `cd ${start}; part=${'d'.repeat(199)}; length=$(pwd | tr -d '\\n' | wc -c)
while [ $((${bytes} - length - 1)) -gt 255 ]; do mkdir $part; cd $part; length=$((length + 200)); done
printf x > "$(printf '%*s' $((${bytes} - length - 1)) '' | tr ' ' f)"`,
    );

  test('of up to 4,095 bytes work', async () => {
    const project = await createStage(': > "$REPRO_OUTPUT_0"');
    await makeDeep(project.root, 'in', 4095);
    expect((await project.call(['run'])).stderr).toContain('1 run in ');
    expect((await project.call(['status', '--exit-code'])).exitCode).toBe(0);
  });
});

describe('what is not a plain file', () => {
  test('as inputs are refused by name', async () => {
    const cases: readonly (readonly [script: string, message: string])[] = [
      ['printf x > "in/$(printf \'caf\\351\')"', 'in/caf\\xe9  this file name is not valid UTF-8'],
      ['mkdir "in/$(printf \'d\\351d\')"', 'in/d\\xe9d  this file name is not valid UTF-8'],
      ['ln -s no "in/$(printf \'\\351\')"', 'in/\\xe9  this file name is not valid UTF-8'],
      ['ln -s me in/me', 'in/me  this symbolic link points back to itself'],
      ['ln -s .. in/up', ', which contains it'],
      ['mkdir in/a in/b; ln -s ../b in/a/b; ln -s ../a in/b/a', '/5/in/'],
      ['ln -s nowhere in/dead', 'in/dead  this symbolic link points to nothing'],
      ['mkfifo in/pipe', 'in/pipe  this is a pipe, a socket or a device'],
      ['ln -s /dev/zero in/zero', 'in/zero  this is a pipe, a socket or a device'],
    ];
    const stages = cases.map(([script], i): [string, StageEntry] => [
      `s${i}`,
      { cmd: ['true', script], inputs: [`${i}/in`], outputs: [`artifacts/${i}`] },
    ]);
    const project = await createProject(Object.fromEntries(stages));
    for (const [i, [script]] of cases.entries()) {
      await fs.mkdir(project.at(`${i}/in`), { recursive: true });
      await shell(project.at(String(i)), script);
    }
    const { stderr, exitCode } = await project.call(['run']);
    expect(exitCode).toBe(1);
    const { stdout } = await project.call(['status']);
    for (const [, message] of cases) {
      expect(stderr).toContain(message);
      expect(stdout).toContain(message);
    }
    expect(stderr).not.toMatch(/E(NOENT|LOOP)|\n {4}at /);
  });

  test('a name that is not UTF-8 comes with a command that renames it', async () => {
    const project = await createStage(copyIn, "it's here");
    await shell(project.root, 'printf x > "in/$(printf \'caf\\351 \\047a\\\\b\\n\')"');
    const { stderr } = await project.call(['run']);
    const [, command] = /Rename it; in bash: (.*)/.exec(stderr) ?? [];
    await execa('bash', ['-c', command!.replace('NEW-NAME', 'coffee')]);
    expect((await project.call(['run'])).exitCode).toBe(0);
    expect(project.read('artifacts/s/coffee')).toBe('x');
  });

  test('as outputs are refused by the name that they were to have', async () => {
    const cases = {
      pipe: ['mkfifo "$REPRO_OUTPUT_0"', 'artifacts/pipe  this is a pipe, a socket or a device'],
      dead: ['ln -s gone "$REPRO_OUTPUT_0"', 'artifacts/dead  this symbolic link points to nothing'],
      loop: [
        'mkdir "$REPRO_OUTPUT_0"; ln -s me "$REPRO_OUTPUT_0/me"',
        'artifacts/loop/me  this symbolic link points back',
      ],
      name: [
        'mkdir "$REPRO_OUTPUT_0"; : > "$REPRO_OUTPUT_0/$(printf "\\\\351")"',
        'artifacts/name/\\xe9  this file name is not valid UTF-8',
      ],
    };
    const stages = Object.entries(cases).map(([name, [script = '']]): [string, StageEntry] => [
      name,
      { cmd: ['sh', '-c', script], outputs: [`artifacts/${name}`] },
    ]);
    const project = await createProject(Object.fromEntries(stages));
    const { stderr, exitCode } = await project.call(['run']);
    expect(exitCode).toBe(1);
    for (const [name, [, message]] of Object.entries(cases)) {
      expect(stderr).toContain(`${name} failed: ${message}`);
      await expect(fs.lstat(project.at('artifacts', name))).rejects.toThrow('ENOENT');
    }
    expect(stderr.match(/The stage wrote it: /g)).toHaveLength(4);
  });

  test('a file that is written to while it is read is an error, not a result', async () => {
    const project = await createStage(copyIn);
    // Sparse, and large enough that reading it takes longer than a write.
    await shell(project.root, 'truncate -s 300M in/growing');
    const writer = spawn('sh', ['-c', 'while :; do printf x >> in/growing; sleep 0.01; done'], {
      cwd: project.root,
    });
    onTestFinished(() => {
      writer.kill('SIGKILL');
    });
    await project.expectFailure(['run'], 1, 'in/growing  this file changed while it was being read');
  });
});

test('a folder of 20,000 files is hashed, checked and compared', async () => {
  const project = await createStage(': > "$REPRO_OUTPUT_0"');
  for (let group = 0; group < 20; group += 1) {
    const inner = project.at('in', String(group));
    mkdirSync(inner, { recursive: true });
    for (let at = 0; at < 1000; at += 1) writeFileSync(path.join(inner, `file-${at}`), `${at}`);
  }
  expect((await project.call(['run'])).stderr).toContain('1 run in ');
  await project.write('in/12/file-7', 'changed');
  expect((await project.call(['status'])).stdout).toContain('in: 12/file-7 changed');
});
