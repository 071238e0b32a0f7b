import path from 'node:path';
import process from 'node:process';
import { verifyStore } from '../../runner/cache/verify-store.ts';
import { exitCode } from '../exit-code.ts';
import { printJson } from '../load.ts';
import { findProjectRoot } from '../project.ts';
import { formatBytes } from '../view/format.ts';
import { TransferLine } from './remote.ts';

interface VerifyOptions {
  readonly project?: string;
  readonly json?: boolean;
}

/** `repro cache verify`: checks everything in the store against its name; exits with 1 if something was damaged. */
export async function verify(options: VerifyOptions): Promise<void> {
  const projectRoot = findProjectRoot(options.project ?? process.cwd());
  const line = new TransferLine();
  const onProgress = (doneBytes: number, totalBytes: number): void =>
    line.show({ id: 'checked', doneBytes, totalBytes });
  const { files, bytes, damaged } = await verifyStore({ projectRoot, onProgress }).finally(() =>
    line.clear(),
  );
  const names = damaged.map((file) => path.relative(projectRoot, file));
  if (options.json === true) {
    printJson({ version: 1, command: 'cache verify', files, bytes, damaged: names });
  } else {
    for (const name of names) process.stdout.write(`damaged and removed: ${name}\n`);
    process.stdout.write(`${files} files, ${formatBytes(bytes)} checked; ${damaged.length} damaged\n`);
    if (damaged.length > 0) {
      process.stdout.write('What needs them is restored or computed again: npx repro run\n');
    }
  }
  if (damaged.length > 0) process.exitCode = exitCode.stageFailed;
}
