import { spawnSync } from 'node:child_process';
import fs from 'node:fs/promises';
import process from 'node:process';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Shell } from '../../src/cli/completion/commands.ts';
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

const isHere = (shell: string): boolean => spawnSync(shell, ['-c', 'exit 0']).status === 0;

/** What the program answers, without a shell. */
function ask(...words: readonly string[]): Promise<string[]> {
  return askFor('zsh', words);
}

async function askFor(shell: Shell, words: readonly string[]): Promise<string[]> {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await printWords(buildProgram('0'), shell, words);
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
    ['stages, but no files, for a card', ['export', 'model', 'fr'], ['none', 'frames']],
    ['instances to compare', ['compare', 'last', 'rep'], ['none', 'report']],
    ['formats of figures', ['export', 'figures', '--format', ''], ['none', 'svg', 'png', 'pdf']],
    ['options where the word state is left out', ['export', 'x.pt', '--wh'], ['none', '--which']],
    ['shells', ['completion', 'b'], ['none', 'bash']],
    [
      'options',
      ['graph', '--format', 'svg', '--'],
      ['none', '--profile', '--set', '--format', '--json', '--help', '--project'],
    ],
    [
      'options where there is no argument',
      ['graph', ''],
      ['none', '--profile', '--set', '--format', '--json', '--help', '--project'],
    ],
    ['nothing after --', ['graph', '--', '--'], ['none']],
    ['nothing of its own', ['complete-'], ['none']],
  ])('%s', async (_, words, expected) => {
    expect(await ask(...words)).toEqual(expected);
  });

  test('is no name that bash would run or split', async () => {
    for (const name of hostile) {
      const typed = ['run', '--profile', name[0] ?? ''];
      expect(await askFor('bash', [name[0] ?? '', ...typed])).toEqual(['none']);
    }
    expect(await askFor('bash', ['f', 'run', '--profile', 'f'])).toEqual(['none', 'full']);
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

test.skipIf(!isHere('fish'))('fish completes lines', async () => {
  const lines: readonly (readonly [line: string, expected: string])[] = [
    ['repro sta', 'status\tshow which stages are up to date'],
    ['repro run tr', 'train\t2 instances'],
    ['repro run --profile full train@large,', 'train@large,1'],
    ['repro run --profile=f', '--profile=full'],
    ['repro run --set train.ep', 'train.epochs=\tHow often'],
    ['repro import recorde', 'recorded.pt'],
    ['repro run --set dataset.root=recorde', 'dataset.root=recorded.pt'],
    ['repro data verify nmnist --root rec', 'record ings/'],
    ['repro run --project / x', ''],
    ...hostile.map((name) => [`repro run --profile ${name[0]}`, name] as const),
  ];
  const setUp = `${JSON.stringify(process.execPath)} ${JSON.stringify(repro)} completion fish | source`;
  const script = `${setUp}; for line in $argv; complete -C $line; echo END; end`;
  const words = ['--no-config', '-c', script, ...lines.map(([line]) => line)];
  const { stdout, stderr } = await execa('fish', words, { cwd: folder });
  expect(stderr).toBe('');
  const answers = stdout.split('END\n').map((one) => one.split('\n', 1)[0] ?? '');
  for (const [i, [line, expected]] of lines.entries()) {
    expect(answers[i]?.replace(/\t(Directory|File)?$/, ''), line).toBe(expected);
  }
});

/** Types lines and presses the tab key in one interactive shell. */
describe.skipIf(noTerminal !== undefined).each([
  ['bash', ['--norc', '--noprofile', '-i'], 'PS1="> "; source <("$NODE" "$REPRO" completion bash)'],
  [
    'zsh',
    ['-f', '-i'],
    'PS1="> "; autoload -Uz compinit && compinit -u -D; source <("$NODE" "$REPRO" completion zsh)',
  ],
] as const)('%s', (shell, options, setUp) => {
  const ofLine = (screen: readonly string[]): string => screen.findLast((row) => row.startsWith('> ')) ?? '';

  test.skipIf(!isHere(shell))('completes lines, and runs nothing of a name', async () => {
    // A shell that is ended writes its history, maybe while the folder is being removed.
    const env = { NODE: process.execPath, REPRO: repro, HOME: project.root, HISTFILE: '/dev/null' };
    const terminal = Terminal.start([shell, ...options], { columns: 100, rows: 40, cwd: folder, env });
    const waitForLine = (expected: string): Promise<void> =>
      terminal.waitFor((screen) => ofLine(screen).trimEnd() === expected.trimEnd());
    terminal.type(`${setUp}\r`);
    await waitForLine('>');
    for (const [typed, expected] of [
      ['repro sta', '> repro status '],
      ['repro run tra', '> repro run train '],
      ['repro run train@b', '> repro run train@baseline,'],
      ['repro run --profile full train@larger,', '> repro run --profile full train@larger,'],
      ['repro run --profile=f', '> repro run --profile=full '],
      ['repro run --set train.ep', '> repro run --set train.epochs='],
      ['repro run --set train.engine=n', '> repro run --set train.engine=native '],
      ['repro data info nm', '> repro data info nmnist '],
      ['repro import recorde', '> repro import recorded.pt '],
      ['repro run --set dataset.root=recorde', '> repro run --set dataset.root=recorded.pt '],
      ['repro data verify nmnist --root rec', '> repro data verify nmnist --root record\\ ings/'],
      [`repro graph --profile 'f`, `> repro graph --profile 'full' `],
    ] as const) {
      terminal.type(`${typed}\t`);
      await waitForLine(expected);
      terminal.type('x');
      // Whether the shell went on to the next word.
      await waitForLine(`${expected}x`);
      terminal.type('\u0015');
      await waitForLine('>');
    }

    // Prints nothing where nothing fits, and lists what does.
    terminal.type('repro run --project / x\t');
    terminal.type('\u0015repro run --from \t\t');
    await terminal.waitFor((screen) =>
      ['frames', 'report'].every((stage) => screen.some((row) => row.includes(stage))),
    );
    expect(terminal.everything.join('\n')).not.toMatch(/rror|pipeline\.yaml/);

    terminal.type(`\u0015repro() { printf '<%s>' "$@"; }\r`);
    // What is typed before the prompt is there is shown twice.
    await waitForLine('>');
    for (const name of shell === 'zsh' ? hostile : []) {
      terminal.type(`repro graph --profile ${name[0]}\t`);
      // One that fits is followed by a blank.
      await terminal.waitFor((screen) => ofLine(screen).length > '> repro graph --profile '.length + 3);
      terminal.type('\r');
      await terminal.waitFor((screen) => screen.join('').includes(`<graph><--profile><${name}>`));
    }
    for (const typed of ['1', "'1", '"2']) terminal.type(`repro graph --profile ${typed}\t\u0015`);
    terminal.type('repro graph --profile f\t');
    await waitForLine('> repro graph --profile full ');
    expect(await fs.readdir(folder)).not.toContain('PWNED');
  });
});

for (const shell of ['zsh', 'fish'])
  if (!isHere(shell))
    console.warn(`Completion in ${shell} is not tested: it is missing (Debian: apt-get install ${shell}).`);
