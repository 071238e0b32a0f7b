import path from 'node:path';
import process from 'node:process';
import { formatBytes } from '../../base/text.ts';
import { type GoneOutput, verifyStore } from '../../runner/store/verify-store.ts';
import { exitCode } from '../process/ending.ts';
import { findProjectRoot } from '../project/load-plan.ts';
import { printResult, toOneLine } from '../view/print.ts';
import { StatusLine } from '../view/status-line.ts';

interface VerifyOptions {
  readonly project?: string;
  readonly json?: boolean;
}

/** `repro cache verify`: checks everything in the store against its name; exits with 1 if something was damaged or is lost. */
export async function verify(options: VerifyOptions): Promise<void> {
  const projectRoot = findProjectRoot(options.project ?? process.cwd());
  const line = new StatusLine();
  const onProgress = (doneBytes: number, totalBytes: number): void =>
    line.show(`checked  ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`);
  const check = await verifyStore({ projectRoot, onProgress }).finally(() => line.clear());
  const { files, bytes, damaged, storedAgain, gone } = check;
  const names = damaged.map((file) => path.relative(projectRoot, file));
  const document = { files, bytes, damaged: names, storedAgain, gone };
  printResult(options, 'cache verify', document, () => {
    const again = storedAgain.length === 0 ? '' : `, ${storedAgain.length} re-stored`;
    return [
      ...names.map((name) => `damaged and removed: ${name}`),
      ...storedAgain.map((name) => `re-stored from its intact output: ${name}`),
      ...gone.map(
        ({ id, output }) => `lost: ${output} (${id}) is neither in the store nor intact in its place`,
      ),
      `${files} files, ${formatBytes(bytes)} checked; ${damaged.length} damaged${again}`,
      ...adviseOnLost(gone),
    ].map(toOneLine);
  });
  if (damaged.length + gone.length > 0) process.exitCode = exitCode.stageFailed;
}

/** What helps against outputs that are nowhere any more. */
function adviseOnLost(gone: readonly GoneOutput[]): string[] {
  const profiles = [...new Set(gone.map(({ profile }) => profile))].join(', ');
  return gone.length === 0
    ? []
    : [
        `A run computes them again; profiles: ${profiles}. If the pipeline no longer has a stage, forget its results: ./repro gc --forget STAGE`,
      ];
}
