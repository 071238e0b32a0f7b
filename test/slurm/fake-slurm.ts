import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Slurm } from '../../src/executors/slurm/slurm.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Slurm whose programs are shell scripts, for what a real one cannot be made to answer. */
export async function createSlurm(
  programs: Readonly<Record<string, string>>,
  hasAccounting = false,
): Promise<Slurm> {
  const folder = await temporaryFolder();
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(path.join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(folder, name), 0o755);
  }
  return new Slurm({ PATH: `${folder}:/bin:/usr/bin` }, hasAccounting);
}
