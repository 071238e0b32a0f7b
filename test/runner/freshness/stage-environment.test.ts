import { describe, expect, test } from 'vitest';
import { createStagesProject } from '../rig/stages-project.ts';

/** Names that shells set for themselves. */
const ofShell = ['PWD', 'SHLVL', 'OLDPWD', '_'];

const surroundings = {
  SECRET: 'x',
  NODE_OPTIONS: '--no-deprecation',
  PYTHONPATH: '/nowhere',
  TZ: 'Asia/Tokyo',
  SEEN: 'y',
  LC_TIME: 'C',
  REPRO_INPUT_9: 'z',
};

describe('a stage sees only the environment variables it declares, and', () => {
  test('as a command, its paths and parameters', async () => {
    const project = await createStagesProject(
      's:\n  cmd: [sh, -c, env > "$REPRO_OUTPUT_0"]\n  inputs: [in]\n  outputs: [artifacts/s]\n  variables: [SEEN, UNSET]\n',
    );
    await project.write('in', '');
    expect((await project.call(['run'], surroundings)).exitCode).toBe(0);
    const names = [...project.read('artifacts/s').matchAll(/^(\w+)=/gm)].map(([, name = '']) => name);
    const expected = [
      'REPRO_CPUS',
      'REPRO_EVENTS',
      'REPRO_ID',
      'REPRO_INPUT_0',
      'REPRO_MATRIX',
      'REPRO_OUTPUT_0',
      'REPRO_PARAMS',
    ];
    expect(names.filter((name) => !isUsual(name)).sort()).toEqual([...expected, 'SEEN']);
    expect(names).toContain('LC_TIME');
  });

  test('as a module, nothing else', async () => {
    const project = await createStagesProject(
      's:\n  run: s.mjs\n  outputs: [artifacts/s]\n  variables: [SEEN]\n',
    );
    await project.write(
      's.mjs',
      `import fs from 'node:fs';
       export default { summary: '', async run({ outputs }) { fs.writeFileSync(outputs[0], Object.keys(process.env).join()); } };`,
    );
    expect((await project.call(['run'], surroundings)).exitCode).toBe(0);
    const names = project.read('artifacts/s').split(',');
    expect(names.filter((name) => !isUsual(name))).toEqual(['SEEN']);
    expect(names).toContain('TMPDIR');
  });
});

function isUsual(name: string): boolean {
  const usual = ['PATH', 'HOME', 'LANG', 'LANGUAGE', 'TMPDIR', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH'];
  return [...usual, 'CUDA_VISIBLE_DEVICES', ...ofShell].includes(name) || name.startsWith('LC_');
}
