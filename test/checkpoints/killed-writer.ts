import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';
import { writeWholeFile, writeWholeFolder } from '../../src/checkpoints/whole-output.ts';

// Writes over a target and kills its own process, without a chance to clean up, before one of the steps that it takes on the
// disk. A killed write has written half of its content.
const [kind, target, deadly] = process.argv.slice(2);

let steps = 0;
function isDeadly(): boolean {
  return String(steps++) === deadly;
}
function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

const { mkdir, open, rename, rm } = fs;
Object.assign(fs, {
  mkdir: (...args: Parameters<typeof mkdir>) => (isDeadly() ? die() : mkdir(...args)),
  rename: (...args: Parameters<typeof rename>) => (isDeadly() ? die() : rename(...args)),
  rm: (...args: Parameters<typeof rm>) => (isDeadly() ? die() : rm(...args)),
  open: async (...args: Parameters<typeof open>) => {
    if (isDeadly()) die();
    const handle = await open(...args);
    const writeFile = handle.writeFile.bind(handle);
    return Object.assign(handle, {
      writeFile: async (content: string) => {
        if (!isDeadly()) return writeFile(content);
        await writeFile(content.slice(0, content.length / 2));
        die();
      },
    });
  },
});
syncBuiltinESMExports();

if (kind === 'file') await writeWholeFile(target!, Buffer.from('new content'), true);
else {
  const contents = new Map([
    ['state', 'new state'],
    ['curves', 'new curves'],
  ]);
  await writeWholeFolder(target!, contents, { force: true, known: ['state', 'network', 'curves'] });
}
