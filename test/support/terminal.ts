import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import path from 'node:path';
import xterm from '@xterm/headless';
import { onTestFinished, vi } from 'vitest';

const ptyProgram = path.join(import.meta.dirname, 'pseudo-terminal.py');

/** Why the tests with a pseudo-terminal cannot run here; undefined if they can. */
export const noTerminal = ((): string | undefined => {
  try {
    execFileSync('python3', ['-c', 'import pty, termios'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'Python 3 with the module pty is missing (Debian: apt-get install python3)';
  }
})();

/** Where the output from before a change of size ends. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
const resizeMarker = /\u001b\]777;resize;(\d+);(\d+)\u0007/;

const patience = { timeout: 20_000, interval: 20 };

export interface TerminalOptions {
  readonly columns: number;
  readonly rows: number;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** A program in a pseudo-terminal, and an emulator that shows its output as a person would see it. */
export class Terminal {
  /** Everything the program wrote. */
  raw = '';
  isCursorVisible = true;
  /** The exit code, or 128 + the number of the signal. */
  readonly ended: Promise<number>;
  readonly #emulator: xterm.Terminal;
  readonly #pty: ChildProcess;
  #shown: Promise<void> = Promise.resolve();
  #size: string;
  #errors = '';

  private constructor(pty: ChildProcess, { columns, rows }: TerminalOptions) {
    this.#pty = pty;
    this.#size = `${columns};${rows}`;
    this.#emulator = new xterm.Terminal({
      cols: columns,
      rows,
      scrollback: 5000,
      allowProposedApi: true,
      logLevel: 'off',
    });
    for (const final of ['h', 'l']) {
      this.#emulator.parser.registerCsiHandler({ prefix: '?', final }, (modes) => {
        if (modes.includes(25)) this.isCursorVisible = final === 'h';
        return false;
      });
    }
    let text = '';
    pty.stdout?.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      for (let found = resizeMarker.exec(text); found !== null; found = resizeMarker.exec(text)) {
        this.#show(text.slice(0, found.index));
        this.#resizeEmulator(Number(found[1]), Number(found[2]));
        text = text.slice(found.index + found[0].length);
      }
      // A marker may arrive in two parts.
      const start = text.lastIndexOf('\u001b]777');
      this.#show(start === -1 ? text : text.slice(0, start));
      text = start === -1 ? '' : text.slice(start);
    });
    pty.stderr?.setEncoding('utf8').on('data', (more: string) => {
      this.#errors += more;
    });
    this.ended = new Promise((resolve, reject) => {
      pty.once('error', reject);
      pty.once('close', (code) => {
        if (this.#errors !== '') reject(new Error(this.#errors));
        else void this.#shown.then(() => resolve(code ?? -1));
      });
    });
    this.ended.catch(() => {});
  }

  static start(command: readonly string[], options: TerminalOptions): Terminal {
    const words = [ptyProgram, String(options.columns), String(options.rows), ...command];
    const pty = spawn('python3', words, {
      cwd: options.cwd,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, TERM: 'xterm-256color', ...options.env },
    });
    const terminal = new Terminal(pty, options);
    onTestFinished(() => {
      pty.kill('SIGKILL');
    });
    return terminal;
  }

  /** The rows in sight, without spaces at their ends. */
  get screen(): string[] {
    return this.#rows(this.#emulator.buffer.active.baseY);
  }

  /** All rows, from the first that can be scrolled back to, down to the last with text. */
  get everything(): string[] {
    const rows = this.#rows(0);
    return rows.slice(0, rows.findLastIndex((row) => row !== '') + 1);
  }

  #rows(from: number): string[] {
    const buffer = this.#emulator.buffer.active;
    return Array.from(
      { length: buffer.length - from },
      (_, row) => buffer.getLine(from + row)?.translateToString(true) ?? '',
    );
  }

  #show(text: string): void {
    if (text === '') return;
    this.raw += text;
    this.#shown = this.#shown.then(() => new Promise<void>((resolve) => this.#emulator.write(text, resolve)));
  }

  #resizeEmulator(columns: number, rows: number): void {
    this.#shown = this.#shown.then(() => {
      this.#emulator.resize(columns, rows);
      this.#size = `${columns};${rows}`;
    });
  }

  #tell(command: string): void {
    this.#pty.stdin?.write(`${command}\n`);
  }

  /** Changes the size as a window does, and tells the program so (SIGWINCH). */
  async resize(columns: number, rows: number): Promise<void> {
    this.#tell(`resize ${columns} ${rows}`);
    await this.waitFor(() => this.#size === `${columns};${rows}`);
  }

  kill(signal: NodeJS.Signals): void {
    this.#tell(`kill ${signal}`);
  }

  /** Presses keys, such as `\u0003` for Ctrl-C. */
  type(keys: string): void {
    this.#tell(`type ${Buffer.from(keys).toString('hex')}`);
  }

  /** Waits until what is shown meets a condition. */
  async waitFor(isTrue: (screen: readonly string[]) => boolean): Promise<void> {
    await vi.waitFor(() => {
      if (!isTrue(this.screen))
        throw new Error(`the screen shows:\n${this.screen.join('\n')}\n${this.#errors}`);
    }, patience);
  }
}
