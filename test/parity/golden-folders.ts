import { fileURLToPath } from 'node:url';
import { createCpuEngine } from '../../src/engines/tfjs/engine.ts';
import type { LayerOperations } from '../../src/engines/tfjs/layer-operations.ts';
import type { CaseFolder } from '../../src/parity/folder.ts';
import { openCaseFolder } from '../../src/parity/folder.ts';
import { type CaseOutcome, runSuite } from '../../src/parity/suite.ts';

/** The committed folders of vectors: the original's, and those of plain PyTorch for what the original's lack. */
export const goldenFolders = ['golden', 'golden/torch'] as const;

export function openGolden(name: (typeof goldenFolders)[number]): Promise<CaseFolder> {
  return openCaseFolder(fileURLToPath(new URL(`../${name}`, import.meta.url)));
}

/** Runs the suite on the CPU with one of the two implementations of a network's layers. */
export async function runGolden(
  folder: CaseFolder,
  operations: LayerOperations,
  only?: readonly string[],
): Promise<CaseOutcome[]> {
  const outcomes: CaseOutcome[] = [];
  for await (const outcome of runSuite(folder, createCpuEngine('test', operations), only)) {
    outcomes.push(outcome);
  }
  return outcomes;
}
