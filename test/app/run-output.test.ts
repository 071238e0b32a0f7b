import process from 'node:process';
import { stripVTControlCharacters } from 'node:util';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { CliProject, repro } from '../runner/rig/cli-project.ts';
import { noTerminal, Terminal } from '../support/terminal.ts';

const pipeline = `version: 1
profiles: {folder: configs/profiles, default: small}
stages:
  quick: {cmd: [sh, tools/quick.sh], outputs: [artifacts/quick]}
  slow: {cmd: [sh, tools/slow.sh], outputs: [artifacts/slow]}
  bad:
    matrix: {word: "\${words}"}
    cmd: [sh, tools/bad.sh, "\${word}", "\${title}"]
    params: [title]
    outputs: ["artifacts/bad/\${word}"]
  after: {cmd: [touch, artifacts/after], inputs: [artifacts/bad], outputs: [artifacts/after]}
`;

const scripts = {
  'quick.sh': 'echo quick > "$REPRO_OUTPUT_0"\n',
  // Until the test lets it end, so that no time is measured.
  'slow.sh': 'until [ -e go ]; do sleep 0.05; done; echo slow > "$REPRO_OUTPUT_0"\n',
  // A log as programs write them: colours, a progress bar, a title, a bell.
  'bad.sh':
    'printf "\\033[32mloading\\033[0m\\n 10 %%\\r 50 %%\\r100 %%\\n\\033]0;title\\007\\007the end: %s\\n" "$2"; exit 7\n',
};

function createProject(): Promise<CliProject> {
  return CliProject.create({
    'pipeline.yaml': pipeline,
    'configs/profiles/small.yaml': 'title: none\nwords: [one]\n',
    ...Object.fromEntries(Object.entries(scripts).map(([name, text]) => [`tools/${name}`, text])),
  });
}

/** What decides how output looks, all unset. */
const neutral = {
  CI: undefined,
  GITHUB_ACTIONS: undefined,
  NO_COLOR: undefined,
  FORCE_COLOR: undefined,
  TERM: 'xterm-256color',
};

function call(project: CliProject, words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return project.call(words, { ...neutral, ...env });
}

/** The words that a shell makes of a command. */
async function splitInShell(command: string): Promise<string[]> {
  const { stdout } = await execa('bash', ['-c', `printf '%s\\0' ${command}`]);
  return stdout.split('\0').slice(0, -1);
}

describe('the output of a run without a terminal', () => {
  test('is plain lines, the summary of failures last, with a command that reruns exactly that', async () => {
    const project = await createProject();
    const title = 'it\'s "new"; $HOME\n\u001b[31m🎓';
    const { stderr, exitCode } = await call(project, [
      'run',
      'after',
      'quick',
      '--set',
      `title=${JSON.stringify(title)}`,
    ]);
    expect(exitCode).toBe(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
    const lines = stderr.split('\n');
    const summary = lines.slice(lines.indexOf('bad@one failed: "sh" exited with code 7'));
    const rerun = summary[6] ?? '';
    expect(summary).toEqual([
      'bad@one failed: "sh" exited with code 7',
      '  last lines of artifacts/.cache/logs/bad@one.log:',
      '  | loading',
      '  | 100 %',
      expect.stringMatching(/^ {2}\| the end: it's "new"; \$HOME$/),
      '  | 🎓',
      rerun,
      '',
      'not run, because of these failures: after',
      '',
      expect.stringMatching(/^1 run, 1 failed, 1 blocked in /),
    ]);
    const [program, ...words] = await splitInShell(rerun.replace('  run it again: ', ''));
    expect(program).toBe('./repro');
    expect(words.slice(0, 3)).toEqual(['run', 'bad@one', '--set']);
    const again = await call(project, words);
    expect(again.stderr).toContain('  | the end: it\'s "new"; $HOME');
    expect(again.exitCode).toBe(1);
    expect((await call(project, ['logs', 'bad@one'])).stdout).toContain('the end: ');
  });

  test('has colours only with FORCE_COLOR, which FORCE_COLOR=0 and NO_COLOR turn off', async () => {
    const project = await createProject();
    await call(project, ['run', 'quick']);
    const isColoured = async (env: Readonly<Record<string, string>>) =>
      (await call(project, ['run', 'quick'], env)).stderr.includes('\u001b[');
    expect(await isColoured({})).toBe(false);
    expect(await isColoured({ FORCE_COLOR: '1' })).toBe(true);
    expect(await isColoured({ FORCE_COLOR: '0' })).toBe(false);
    expect(await isColoured({ FORCE_COLOR: '' })).toBe(false);
    expect(await isColoured({ NO_COLOR: '1' })).toBe(false);
    expect(await isColoured({ GITHUB_ACTIONS: 'true', CI: 'true' })).toBe(false);
  });
});

if (noTerminal !== undefined) console.warn(`Runs are not tested in a terminal: ${noTerminal}.`);

describe.skipIf(noTerminal !== undefined)('the output of a run in a terminal', () => {
  const open = (
    { root }: CliProject,
    words: readonly string[],
    options: { env?: NodeJS.ProcessEnv; columns?: number } = {},
  ) => Terminal.start([process.execPath, repro, ...words], { columns: 80, rows: 30, cwd: root, ...options });

  test('shows failures last, and nothing of what was redrawn', async () => {
    const project = await createProject();
    await project.write('go', '');
    const terminal = open(project, ['run']);
    expect(await terminal.ended).toBe(1);
    const text = terminal.everything.join('\n');
    expect(text).not.toContain('●');
    expect(terminal.everything.join('')).toContain('2 run, 1 failed, 1 blocked in ');
    expect(text.replaceAll('\n', '')).toContain('run it again: ./repro run bad@one');
    expect(terminal.raw).not.toContain('\u0007');
    expect(terminal.isCursorVisible).toBe(true);
  });

  test('Ctrl-C stops the stages, and the view says what was interrupted', async () => {
    const project = await createProject();
    const terminal = open(project, ['run', 'slow']);
    await terminal.waitFor((screen) => screen.some((row) => row.startsWith('● slow')));
    terminal.type('\u0003');
    expect(await terminal.ended).toBe(130);
    expect(terminal.everything.join('')).toContain(
      'interrupted: slow. The same command starts it from the beginning, as it had saved nothing.',
    );
    expect(terminal.isCursorVisible).toBe(true);
  });

  test.each([
    ['CI', { CI: 'true' }],
    ['TERM=dumb', { TERM: 'dumb' }],
  ])('is plain lines with %s', async (_, env) => {
    const project = await createProject();
    const terminal = open(project, ['run', 'quick'], { env });
    expect(await terminal.ended).toBe(0);
    expect(terminal.everything[0]).toBe('> quick  has not run yet');
    // Of escape sequences, only colours, where the terminal has some.
    expect(stripVTControlCharacters(terminal.raw).replaceAll('\r\n', '')).not.toContain('\r');
    for (const sign of ['?25', '?2026', '\u001b[K', '\u001b[J']) expect(terminal.raw).not.toContain(sign);
    if ('TERM' in env) expect(terminal.raw).not.toContain('\u001b');
  });
});
