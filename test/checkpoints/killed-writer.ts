import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';
import { writeWholeFolder } from '../../src/checkpoints/whole-output.ts';
import { DeadlySteps } from '../support/deadly-steps.ts';

// Writes over a target and kills its own process, without a chance to clean up, before one of the steps that it takes on the
// disk. A killed write has written half of its content.
const [target, deadly] = process.argv.slice(2);

const steps = new DeadlySteps(deadly);
const { mkdir, open, rename, rm } = fs;
Object.assign(fs, {
  mkdir: steps.before(mkdir),
  rename: steps.before(rename),
  rm: steps.before(rm),
  open: steps.before(async (...args: Parameters<typeof open>) => {
    const handle = await open(...args);
    const writeFile = handle.writeFile.bind(handle);
    return Object.assign(handle, {
      writeFile: async (content: string) => {
        if (!steps.isNext()) return writeFile(content);
        await writeFile(content.slice(0, content.length / 2));
        steps.die();
      },
    });
  }),
});
syncBuiltinESMExports();

const contents = new Map([
  ['state', 'new state'],
  ['curves', 'new curves'],
]);
await writeWholeFolder(target!, contents, { force: true, known: ['state', 'network', 'curves'] });
