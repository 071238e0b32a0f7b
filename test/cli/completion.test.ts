import { execFileSync } from 'node:child_process';
import fs from 'node:fs/promises';
import process from 'node:process';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { printWords } from '../../src/cli/completion/completion.ts';
import { buildProgram } from '../../src/cli/main.ts';
import { CliProject, repro } from '../runner/rig/cli-project.ts';
import { noTerminal, Terminal } from '../support/terminal.ts';

const pipeline = `version: 1
profiles: {folder: configs/profiles, default: small, schema: schemas/profile.schema.json}
stages:
  frames: {cmd: ['true'], outputs: [artifacts/frames]}
  train:
    matrix: {model: "\${models}", seed: [1, 2]}
    cmd: ['true']
    inputs: [artifacts/frames]
    outputs: ["artifacts/train/\${model}/\${seed}"]
  report: {cmd: ['true'], inputs: [artifacts/train], outputs: [artifacts/report]}
`;

const profileSchema = {
  type: 'object',
  properties: {
    models: { type: 'array', items: { type: 'string' } },
    train: { $ref: '#/definitions/train' },
    dataset: { type: 'object', properties: { root: { type: 'string', description: 'Where the data are.' } } },
  },
  definitions: {
    train: {
      type: 'object',
      properties: {
        epochs: { type: 'integer', description: 'How often. Or so.' },
        engine: { enum: ['auto', 'native'] },
      },
    },
  },
};

let folder: string;
let project: CliProject;

beforeAll(async () => {
  project = await CliProject.createForFile({});
  // Spaces and a quote, as in the path of the project of somebody.
  folder = project.at("it's here");
  const files = {
    'pipeline.yaml': pipeline,
    'schemas/profile.schema.json': JSON.stringify(profileSchema),
    'record ings/one.pt': '',
    'recorded.pt': '',
    'configs/models/baseline.yaml': '',
    'configs/profiles/full.yaml': 'models: [large, larger]\n',
  };
  for (const [file, text] of Object.entries(files)) await project.write(`it's here/${file}`, text);
  for (const name of [...hostile, 'small'])
    await project.write(`it's here/configs/profiles/${name}.yaml`, 'models: [baseline]\n');
});

afterAll(() => project.remove('.'));

function isHere(shell: string): boolean {
  try {
    execFileSync(shell, ['-c', 'exit 0'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** What the program answers, without a shell. */
async function ask(...words: readonly string[]): Promise<string[]> {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await printWords(buildProgram('0'), 'zsh', words);
    const lines = String(write.mock.calls[0]?.[0] ?? '')
      .trimEnd()
      .split('\n');
    return lines.map((line) => line.split('\t', 1)[0] ?? '');
  } finally {
    write.mockRestore();
    process.exitCode = undefined;
  }
}

describe('what completes a word', () => {
  const elsewhere = process.cwd();
  beforeAll(() => process.chdir(folder));
  afterAll(() => process.chdir(elsewhere));

  test.each<[string, readonly string[], readonly string[]]>([
    ['commands', ['sta'], ['none', 'status']],
    ['subcommands', ['data', 'v'], ['none', 'verify']],
    ['a single subcommand', ['baseline', 'u'], ['none', 'update']],
    ['stages', ['run', ''], ['none', 'frames', 'train', 'report']],
    ['instances of a stage', ['run', 'train@'], ['none', 'train@baseline,1', 'train@baseline,2']],
    [
      'instances of the profile given',
      ['logs', '--profile=full', 'train@large,'],
      ['none', 'train@large,1', 'train@large,2'],
    ],
    [
      'instances with settings given',
      ['run', '--set', 'models=[x]', 'train@'],
      ['none', 'train@x,1', 'train@x,2'],
    ],
    [
      'instances despite settings that are wrong',
      ['run', '-s', 'models=[', 'train@b'],
      ['none', 'train@baseline,1', 'train@baseline,2'],
    ],
    ['the second stage', ['run', 'frames', 're'], ['none', 'report']],
    ['the stage of an option', ['run', '--from', 'tr'], ['none', 'train']],
    ['profiles', ['run', '--profile', ''], ['none', ...hostile, 'full', 'small']],
    ['profiles after a short option', ['run', '-p', 'f'], ['none', 'full']],
    ['profiles after =', ['run', '--profile=f'], ['none', '--profile=full']],
    ['keys of settings', ['run', '--set', 'train.'], ['none', 'train.epochs=', 'train.engine=']],
    ['values of settings', ['run', '--set', 'train.engine=n'], ['none', 'train.engine=native']],
    ['paths in settings', ['run', '--set', 'dataset.root=/da'], ['file']],
    ['choices', ['graph', '--format', 's'], ['none', 'svg']],
    ['models', ['doctor', '--plan', 'b'], ['file', 'baseline']],
    ['data sets', ['data', 'info', 'n'], ['none', 'nmnist']],
    ['data sets or a file', ['data', 'show', 'nm'], ['file', 'nmnist']],
    ['folders', ['data', 'verify', 'nmnist', '--root', ''], ['directory']],
    ['files to write', ['check', '--junit', ''], ['file']],
    ['files and stages', ['export', 'fr'], ['file', 'frames']],
    ['what can be exported', ['export', 'fi'], ['file', 'figures']],
    ['committed records to compare with', ['compare', 'last', 'lo'], ['none', 'lock']],
    ['formats of figures', ['export', 'figures', '--format', ''], ['none', 'svg', 'png', 'pdf']],
    ['options where the word state is left out', ['export', 'x.pt', '--wh'], ['none', '--which']],
    ['shells', ['completion', 'b'], ['none', 'bash']],
    [
      'options that are not given yet',
      ['graph', '--format', 'svg', '--profile', 'full', '--'],
      ['none', '--set', '--json', '--project', '--help'],
    ],
    [
      'options where there is no argument',
      ['graph', ''],
      ['none', '--profile', '--set', '--format', '--json', '--project', '--help'],
    ],
    ['nothing after --', ['graph', '--', '--'], ['none']],
    ['nothing of its own', ['complete-'], ['none']],
  ])('%s', async (_, words, expected) => {
    expect(await ask(...words)).toEqual(expected);
  });

  test.each([
    ['outside a project', ['run', '--project', '/', '']],
    ['of a profile that does not exist', ['run', '--profile', 'nope', '']],
  ])('is nothing %s, without an error', async (_, words) => {
    expect(await ask(...words)).toEqual(['']);
  });
});

/** Names of profiles that a shell would run or split; the others begin otherwise, so each is the only one that fits. */
const hostile = [
  '1$(touch PWNED)',
  '2`touch PWNED`',
  "3'; touch PWNED; '",
  '4"; touch PWNED; "',
  '5 $HOME *!!\\',
  '6|~#',
];

describe.skipIf(!isHere('fish'))('in fish', () => {
  const completeIn = async (line: string): Promise<string[]> => {
    const script = `${JSON.stringify(process.execPath)} ${JSON.stringify(repro)} completion fish | source; complete -C $LINE`;
    const { stdout, stderr } = await execa('fish', ['--no-config', '-c', script], {
      cwd: folder,
      env: { LINE: line },
    });
    expect(stderr).toBe('');
    return stdout.split('\n');
  };

  test.each([
    ['repro sta', ['status\tshow which stages are up to date']],
    ['repro run tr', ['train\t2 instances']],
    ['repro run --profile full train@large,', ['train@large,1', 'train@large,2']],
    ['repro run --profile=f', ['--profile=full']],
    ['repro run --set train.ep', ['train.epochs=\tHow often']],
    ['repro import recorde', ['recorded.pt']],
    ['repro run --set dataset.root=recorde', ['dataset.root=recorded.pt']],
    ['repro data verify nmnist --root rec', ['record ings/']],
    ['repro run --project / x', ['']],
    ...hostile.map((name): [string, string[]] => [`repro run --profile ${name[0]}`, [name]]),
  ])('%j', async (line, expected) => {
    expect((await completeIn(line)).map((one) => one.trimEnd().replace(/\t(Directory|File)?$/, ''))).toEqual(
      expected.map((one) => expect.stringContaining(one)),
    );
  });
});

/** Types lines and presses the tab key in an interactive shell. */
describe.skipIf(noTerminal !== undefined).each([
  ['bash', ['--norc', '--noprofile', '-i'], 'PS1="> "; source <("$NODE" "$REPRO" completion bash)'],
  [
    'zsh',
    ['-f', '-i'],
    'PS1="> "; autoload -Uz compinit && compinit -u -D; source <("$NODE" "$REPRO" completion zsh)',
  ],
] as const)('in %s', (shell, options, setUp) => {
  const start = async (): Promise<Terminal> => {
    // A shell that is ended writes its history, maybe while the folder is being removed.
    const env = { NODE: process.execPath, REPRO: repro, HOME: project.root, HISTFILE: '/dev/null' };
    const terminal = Terminal.start([shell, ...options], { columns: 100, rows: 40, cwd: folder, env });
    terminal.type(`${setUp}\r`);
    await terminal.waitFor((screen) => screen.some((row) => /^> ?$/.test(row)));
    return terminal;
  };
  const ofLine = (screen: readonly string[]): string => screen.findLast((row) => row.startsWith('> ')) ?? '';

  test.skipIf(!isHere(shell)).each([
    ['repro sta\t', '> repro status '],
    ['repro run tra\t', '> repro run train '],
    ['repro run train@b\t', '> repro run train@baseline,'],
    ['repro run --profile full train@larger,\t', '> repro run --profile full train@larger,'],
    ['repro run --profile=f\t', '> repro run --profile=full '],
    ['repro run --set train.ep\t', '> repro run --set train.epochs='],
    ['repro run --set train.engine=n\t', '> repro run --set train.engine=native '],
    ['repro data info nm\t', '> repro data info nmnist '],
    ['repro import recorde\t', '> repro import recorded.pt '],
    ['repro run --set dataset.root=recorde\t', '> repro run --set dataset.root=recorded.pt '],
    ['repro data verify nmnist --root rec\t', '> repro data verify nmnist --root record\\ ings/'],
  ])('%j', async (keys, expected) => {
    const terminal = await start();
    terminal.type(keys);
    await terminal.waitFor((screen) => ofLine(screen).trimEnd() === expected.trimEnd());
    terminal.type('x');
    // Whether the shell went on to the next word.
    await terminal.waitFor((screen) => ofLine(screen).trimEnd() === `${expected}x`);
  });

  test.skipIf(!isHere(shell)).each(hostile)(
    'inserts the name %j so that nothing of it is run',
    async (name) => {
      const terminal = await start();
      terminal.type(`repro() { printf '<%s>' "$@"; }\r`);
      terminal.type(`repro graph --profile ${name[0]}\t`);
      // One that fits is followed by a blank.
      await terminal.waitFor((screen) => ofLine(screen).length > '> repro graph --profile '.length + 3);
      terminal.type('\r');
      await terminal.waitFor((screen) => screen.join('').includes(`<graph><--profile><${name}>`));
      expect(await fs.readdir(folder)).not.toContain('PWNED');
    },
  );

  test.skipIf(!isHere(shell)).each(["'", '"'])('runs nothing of a name after %s', async (quote) => {
    const terminal = await start();
    terminal.type(`repro() { printf '<%s>' "$@"; }\r`);
    for (const name of hostile) terminal.type(`repro graph --profile ${quote}${name[0]}\t\u0015`);
    terminal.type(`repro graph --profile ${quote}f\t`);
    await terminal.waitFor(
      (screen) => ofLine(screen).trimEnd() === `> repro graph --profile ${quote}full${quote}`,
    );
    expect(await fs.readdir(folder)).not.toContain('PWNED');
  });

  test.skipIf(!isHere(shell))('prints nothing where nothing fits, and lists what does', async () => {
    const terminal = await start();
    terminal.type('repro run --project / x\t');
    terminal.type('\u0015repro run --from \t\t');
    await terminal.waitFor(
      (screen) =>
        screen.some((row) => row.includes('frames')) && screen.some((row) => row.includes('report')),
    );
    expect(terminal.everything.join('\n')).not.toMatch(/rror|pipeline\.yaml/);
  });
});

for (const shell of ['zsh', 'fish'])
  if (!isHere(shell))
    console.warn(`Completion in ${shell} is not tested: it is missing (Debian: apt-get install ${shell}).`);
