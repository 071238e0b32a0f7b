import path from 'node:path';
import process from 'node:process';
import { verifyStore } from '../../runner/store/verify-store.ts';
import { formatBytes } from '../../text.ts';
import { exitCode } from '../exit-code.ts';
import { printJson } from '../load.ts';
import { findProjectRoot } from '../project.ts';

import { toOneLine } from '../view/safe-text.ts';
import { TransferLine } from './remote.ts';

interface VerifyOptions {
  readonly project?: string;
  readonly json?: boolean;
}

/** `repro cache verify`: checks everything in the store against its name; exits with 1 if something was damaged, is gone, or could not be settled. */
export async function verify(options: VerifyOptions): Promise<void> {
  const projectRoot = findProjectRoot(options.project ?? process.cwd());
  const line = new TransferLine();
  const onProgress = (doneBytes: number, totalBytes: number): void =>
    line.show({ id: 'checked', doneBytes, totalBytes });
  const check = await verifyStore({ projectRoot, onProgress }).finally(() => line.clear());
  const { files, bytes, damaged, storedAgain, gone, lostRecords, lostSources, unsettled } = check;
  const names = damaged.map((file) => path.relative(projectRoot, file));
  if (options.json === true) {
    const found = { files, bytes, damaged: names, storedAgain, gone, lostRecords, lostSources, unsettled };
    printJson({ version: 1, command: 'cache verify', ...found });
  } else {
    const lines = [
      ...names.map((name) => `damaged and removed: ${name}`),
      ...storedAgain.map((name) => `stored again, from its place: ${name}`),
      ...gone.map(({ id, output }) => `neither in the store nor whole in its place: ${output} (${id})`),
      ...lostRecords.map((id) => `no record is left of ${id}: a run computes it again`),
      ...lostSources.map(
        ({ source, ids }) =>
          `the text of ${source} that ${ids.join(', ')} ran with is gone: explain cannot show how it differs`,
      ),
      ...unsettled.map(({ path: name, problem }) => `${name} ${problem}`),
    ];
    const again = storedAgain.length === 0 ? '' : `, ${storedAgain.length} stored again`;
    lines.push(`${files} files, ${formatBytes(bytes)} checked; ${damaged.length} damaged${again}`);
    if (gone.length > 0) {
      const { adviseOnLost } = await import('./lost-advice.ts');
      lines.push(...(await adviseOnLost(projectRoot, gone)));
    }
    process.stdout.write(lines.map((one) => `${toOneLine(one)}\n`).join(''));
  }
  if (damaged.length + gone.length + unsettled.length > 0) process.exitCode = exitCode.stageFailed;
}
