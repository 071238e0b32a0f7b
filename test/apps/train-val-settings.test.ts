import { expect, test } from 'vitest';
import { sayInArguments } from '../../src/apps/train-val-settings.ts';
import { ReproError } from '../../src/errors.ts';

const framesCommand = './repro run frames -p a';

test.each([
  ['try a lower `train.learningRate`.', 'try a lower `-learning_rate`.'],
  ['raise `train.validationShare`, or (`compat.validation: all`).', 'raise `-val_ratio`, or (`--compat`).'],
  ['the switch: `train.compat.trials=all`.', 'the switch: `--compat`.'],
  [
    'suspect the frames: `repro run frames --force`.',
    'suspect the frames: `./repro run frames -p a --force`.',
  ],
  ['Leave it out (`loss: { regulariseTau: 0 }` in a model’s file).', 'Leave it out (`-reg_lambda`).'],
])('advice on settings names the original’s arguments: %s', (fix, said) => {
  const error = new ReproError('a-code', 'What happened.', { where: 'there', fix });
  expect(sayInArguments(error, framesCommand)).toMatchObject({
    code: 'a-code',
    message: 'What happened.',
    where: 'there',
    fix: said,
  });
});

test('an error without advice stays as it is', () => {
  expect(sayInArguments(new ReproError('a-code', 'What happened.'), framesCommand).fix).toBeUndefined();
});
