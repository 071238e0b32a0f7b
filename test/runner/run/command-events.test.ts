import { describe, expect, test } from 'vitest';
import { hasPython } from '../../support/python.ts';
import { createStagesProject } from '../rig/stages-project.ts';

/** Appends to REPRO_EVENTS as docs/stages.md says, from Python and from a shell. */
const python = `import json, os
def report(**event):
    with open(os.environ["REPRO_EVENTS"], "a") as file:
        print(json.dumps(event), file=file)
for i in range(3):
    report(type="progress", progress={"done": i + 1, "total": 3, "unit": "files"})
report(type="metrics", values={"lines": 12, "name": "τ"})
report(type="metrics", values={"lines": 13})
open(os.environ["REPRO_OUTPUT_0"], "w").write("done")
`;

async function runOnce(cmd: string, files: Readonly<Record<string, string>> = {}) {
  const project = await createStagesProject(`s:\n  cmd: ${cmd}\n  outputs: [artifacts/s]\n`);
  for (const [name, text] of Object.entries(files)) await project.write(name, text);
  const { exitCode, stderr } = await project.call(['run']);
  return { project, exitCode, stderr, log: project.read('artifacts/.cache/logs/s.log') };
}

describe('a command', () => {
  test.skipIf(!hasPython)('reports metrics and progress through a file, from Python', async () => {
    const { project, exitCode, log } = await runOnce('[python3, plot.py]', { 'plot.py': python });
    expect(exitCode).toBe(0);
    const { instances } = await project.json(['metrics']);
    expect(instances[0].metrics).toEqual({ lines: 13, name: 'τ' });
    expect(log).toContain('100 % (3 of 3 files)');
  });

  test('has its last line read even if it does not end, and is told once of lines that are no events', async () => {
    const script =
      'echo oops >> "$REPRO_EVENTS"; echo "{}" >> "$REPRO_EVENTS"; : > "$REPRO_OUTPUT_0"; printf %s \'{"type":"note","level":"note","text":"from sh"}\' >> "$REPRO_EVENTS"';
    const { exitCode, stderr, log } = await runOnce(`[sh, run.sh]`, { 'run.sh': script });
    expect(exitCode).toBe(0);
    expect(stderr).toContain('from sh');
    expect(
      log.match(/ignored a line in REPRO_EVENTS that is not an event \(docs\/stages\.md\): oops/g),
    ).toHaveLength(1);
  });

  test('is told that a metric which is not a number is recorded as null', async () => {
    const script =
      'echo \'{"type":"metrics","values":{"loss":1e999,"lines":3}}\' >> "$REPRO_EVENTS"; : > "$REPRO_OUTPUT_0"';
    const { project, stderr } = await runOnce('[sh, run.sh]', { 'run.sh': script });
    expect(stderr).toContain('the metric "loss" is Infinity, which is recorded as null');
    expect((await project.json(['metrics'])).instances[0].metrics).toEqual({ loss: null, lines: 3 });
  });

  test('cannot say that it is done, or that it failed', async () => {
    const script = 'echo \'{"type":"done"}\' >> "$REPRO_EVENTS"; exit 3';
    const { exitCode, stderr } = await runOnce(`[sh, run.sh]`, { 'run.sh': script });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('"sh" exited with code 3');
  });
});
