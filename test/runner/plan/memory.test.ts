import process from 'node:process';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { CliProject, repro } from '../rig/cli-project.ts';

const digits = '[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]';

test('ten thousand instances are planned within 150 MB', async () => {
  const project = await CliProject.create({
    'pipeline.yaml': `version: 1
stages:
  base:
    matrix: { a: ${digits}, b: ${digits}, c: ${digits}, d: [0, 1, 2, 3, 4] }
    cmd: [node, -e, '']
    outputs: ["artifacts/base/\${a}/\${b}/\${c}/\${d}"]
  next:
    matrix: { a: ${digits}, b: ${digits}, c: ${digits}, d: [0, 1, 2, 3, 4] }
    cmd: [node, -e, '']
    inputs: ["artifacts/base/\${a}/\${b}/\${c}/\${d}", "artifacts/base/\${b}/\${a}/\${c}/\${d}"]
    outputs: ["artifacts/next/\${a}/\${b}/\${c}/\${d}"]
`,
    'peak.cjs': `process.on('exit', () => console.log('peak', process.resourceUsage().maxRSS));`,
  });
  const hook = project.at('peak.cjs');
  const { stdout } = await execa(process.execPath, ['--require', hook, repro, 'status'], {
    cwd: project.root,
  });
  expect(stdout.match(/^(base|next)@/gm)).toHaveLength(10_000);
  const peakBytes = Number(/^peak (\d+)$/m.exec(stdout)?.[1]) * 1024;
  expect(peakBytes).toBeGreaterThan(30e6);
  expect(peakBytes).toBeLessThan(150e6);
});
