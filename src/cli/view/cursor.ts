import process from 'node:process';

const hide = '\u001b[?25l';
const show = '\u001b[?25h';

/** The terminal whose cursor is hidden. */
let hiddenOn: NodeJS.WriteStream | null = null;
let leave = (): void => {};
let isGuarded = false;

/**
 * Hides the cursor until {@link showCursor}, or until the process ends in any way but SIGKILL.
 *
 * @param onSuspend called before Ctrl-Z hands the terminal to the shell
 */
export function hideCursor(stream: NodeJS.WriteStream, onSuspend: () => void): void {
  if (hiddenOn === stream) return;
  guard();
  leave = onSuspend;
  hiddenOn = stream;
  stream.write(hide);
}

export function showCursor(stream: NodeJS.WriteStream): void {
  if (hiddenOn !== stream) return;
  hiddenOn = null;
  stream.write(show);
}

function restore(): void {
  if (hiddenOn !== null) showCursor(hiddenOn);
}

/**
 * `exit` comes with every end but a signal, crashes included. SIGINT, SIGTERM and SIGHUP are handled where a view is shown
 * (signals.ts); SIGQUIT (Ctrl-\) ends the process at once, and SIGTSTP (Ctrl-Z) hands the terminal to the shell.
 */
function guard(): void {
  if (isGuarded) return;
  isGuarded = true;
  process.on('exit', restore);
  if (process.platform === 'win32') return;
  for (const signal of ['SIGQUIT', 'SIGTSTP'] as const) {
    const onSignal = (): void => {
      if (signal === 'SIGTSTP' && hiddenOn !== null) leave();
      restore();
      // Without this handler, the signal does what it always does. The next redraw hides the cursor again.
      process.off(signal, onSignal);
      process.once('SIGCONT', () => {
        if (!process.listeners(signal).includes(onSignal)) process.on(signal, onSignal);
      });
      process.kill(process.pid, signal);
    };
    process.on(signal, onSignal);
  }
}
