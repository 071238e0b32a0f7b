import { expect, test } from 'vitest';
import { listResult } from '../../src/report/baseline/digits.ts';
import { formatReceipt, type Receipt } from '../../src/report/baseline/receipt.ts';
import { exampleBaseline } from '../report/baseline/example.ts';
import { createReceiptProject } from '../report/baseline/receipt-project.ts';

const baseline = exampleBaseline();
const [run] = baseline.runs;
const values = listResult(baseline.frames, run!).map(({ name, value }) => [name, value]);
const receipt: Receipt = {
  ...{
    profile: 'quick',
    model: 'no-reg',
    seed: 2020,
    result: '',
    engine: 'plif.wasm of sources 0123456789ab, Clang 19.1.7',
  },
  ...{ values: Object.fromEntries(values), browser: 'A browser', architecture: 'arm', seconds: 90 },
  started: '2026-12-01T10:30:00.000Z',
};

async function check(text: string | null, ...words: readonly string[]) {
  const project = await createReceiptProject(baseline);
  if (text !== null) await project.write('receipt.json', text);
  return project.call(['check', '--receipt', 'receipt.json', ...words]);
}

test('a receipt with the values of the baseline is confirmed, and its command says that it proves nothing', async () => {
  const { exitCode, stdout } = await check(formatReceipt(receipt));
  expect(stdout).toBe(
    `receipt  noted  it says, without proof: by A browser on arm with plif.wasm of sources 0123456789ab, Clang 19.1.7, 2026-12-01 10:30 UTC
profile quick: the receipt of no-reg, seed 2020 has the same digits: all ${values.length} values`,
  );
  expect(exitCode).toBe(0);
});

test('a receipt fails in which a value is missing, another one differs and one is too many, and all are named', async () => {
  const { 'chosen epoch': _, ...others } = receipt.values;
  const { exitCode, stdout } = await check(
    formatReceipt({
      ...receipt,
      values: { ...others, 'SHA-256 of test.npy': 'f00d', 'loss of epoch 99': 1 },
    }),
    '--json',
  );
  expect(JSON.parse(stdout).checks[0].differing).toEqual([
    { name: 'SHA-256 of test.npy', expected: '2'.repeat(64), value: 'f00d' },
    { name: 'chosen epoch', expected: 7, value: 'missing' },
    { name: 'loss of epoch 99', expected: 'missing', value: 1 },
  ]);
  expect(exitCode).toBe(4);
});

const withValues = (more: string): string => formatReceipt(receipt).replace('"values": {', `$& ${more},`);

test.each([
  [
    'with a value that is a list',
    withValues('"loss of epoch 99": [1]'),
    'receipt.json  field "values" must have numbers and texts: "loss of epoch 99" is neither\n  Recompute',
  ],
  ['with a value twice', withValues('"chosen epoch": 99'), /^receipt\.json:\d+:\d+ .*twice/],
  ['that is missing', null, 'receipt.json  this file is missing.\n  Name a receipt'],
  ['that is not JSON', '{"version": 1,', 'receipt.json  the file is not valid JSON'],
  ['of another version', formatReceipt(receipt).replace('1', '2'), 'field "version": expected 1, found 2'],
  [
    'of an unknown model',
    formatReceipt({ ...receipt, model: 'x' }),
    'receipt.json  configs/baselines/quick.json has no x, seed 2020.\n  Recompute the result',
  ],
  [
    'of an unknown profile',
    formatReceipt({ ...receipt, profile: 'quikc' }),
    'configs/baselines/quikc.json has no',
  ],
  ['of a profile elsewhere', formatReceipt({ ...receipt, profile: '../x' }), 'field "profile"'],
])('a receipt %s is an error', async (_, text, problem) => {
  const { exitCode, stderr } = await check(text);
  expect(stderr).toMatch(problem);
  expect(exitCode).toBe(2);
});

test.each([
  ['constructor', 1],
  ['__proto__', 1],
  ['loss of epoch 99', 'missing'],
])('a value too many fails a receipt, with the name %s and the value %s', async (name, value) => {
  const { exitCode, stdout } = await check(withValues(`"${name}": ${JSON.stringify(value)}`));
  expect(stdout).toContain(`${name}  differs  ${value}, in the baseline missing`);
  expect(stdout).toContain(`1 of ${values.length + 1} values`);
  expect(exitCode).toBe(4);
});

test.each([['--profile', 'quick'], ['--set', 'train.epochs=2'], ['--no-data']])(
  'a receipt is checked without %s',
  async (...words) => {
    const { exitCode, stderr } = await check(formatReceipt(receipt), ...words);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('cannot be used with')]);
  },
);
