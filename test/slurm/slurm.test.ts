import { describe, expect, test } from 'vitest';
import { createSlurm } from './fake-slurm.ts';

const over = 'scancel: error: Kill job error on job id 12: Job/step already completing or completed';
const unknown = 'scancel: error: Kill job error on job id 13: Invalid job id specified';
const denied = 'scancel: error: Kill job error on job id 14: Access/permission denied';

describe('cancelling', () => {
  test.each([
    [[over, unknown], { kind: 'ok', text: '' }],
    [[over, denied, unknown], { kind: 'refused', text: denied }],
    [[over, 'scancel: error: Socket timed out on send/recv operation'], { kind: 'unknown' }],
  ])('is judged by every line of the answer: %j', async (lines, answer) => {
    const slurm = await createSlurm({ scancel: `cat >&2 <<'END'\n${lines.join('\n')}\nEND\nexit 1` });
    expect(await slurm.cancel(['12', '13', '14'])).toMatchObject(answer);
  });

  test('that says nothing but fails has not succeeded', async () => {
    const slurm = await createSlurm({ scancel: 'exit 1' });
    expect(await slurm.cancel(['12'])).toMatchObject({ kind: 'refused', text: 'scancel ended with code 1' });
  });
});

describe('jobs are found by name', () => {
  test('those that have not ended first; of a shared name, only those with the comment', async () => {
    const rows = ['9|CANCELLED|repro:ab', '12|PENDING|', '11|RUNNING|replaced by the site'];
    const slurm = await createSlurm({ squeue: `printf '%s\\n' ${rows.map((row) => `'${row}'`).join(' ')}` });
    expect(await slurm.findJobs('train.ab', 'repro:ab')).toEqual({ ids: ['11', '12', '9'] });
    expect(await slurm.findJobs('mutex.disk', 'repro:ab')).toEqual({ ids: ['9'] });
  });
});
