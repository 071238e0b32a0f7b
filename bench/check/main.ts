import { parseArgs } from 'node:util';
import { RandomStream } from '../../src/data/simulated/random-stream.ts';
import {
  ACCURACY_ALARM_RATE,
  compareAnswers,
  type WrongClips,
} from '../../src/report/baseline/accuracy-rule.ts';

/** A simulated test set and how its answers come about. */
interface Setting {
  readonly models: number;
  readonly users: number;
  readonly clipsPerUser: number;
  /** Standard deviation, on the logit of being right, of what each training has for each user. */
  readonly userShift: number;
  /** By how much the logit of being right falls in the new trainings, and in how many models. */
  readonly loss: number;
  readonly worseModels: number;
}

/** Clips differ in difficulty by this standard deviation, and the mean makes 95 % of the answers right. */
const difficulty = 2;
const meanLogit = 4.55;

/** Simulates checks of trainings against a baseline, and prints how many raise an alarm. */
export function main({ args }: { readonly args: readonly string[] }): void {
  const { values } = parseArgs({
    args: [...args],
    options: {
      trials: { type: 'string', default: '4000' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(
      'Usage: npm run bench:check -- [--trials N] [--seed N]   (default: 4000 simulated checks, seed 1)',
    );
    return;
  }
  const trials = Number(values.trials);
  const random = new RandomStream(['check', values.seed]);
  const base = { models: 4, users: 6, clipsPerUser: 24, userShift: 0, loss: 0, worseModels: 4 };
  console.log(`alarms in ${trials} simulated checks`);
  console.log('none got worse; users × clips, deviation by user:');
  for (const clipsPerUser of [24, 48])
    for (const userShift of [0, 0.5, 1]) print({ ...base, clipsPerUser, userShift }, trials, random);
  console.log('worse by so many points:');
  for (const worseModels of [4, 1])
    for (const loss of [0.3, 0.6, 0.9, 1.2, 1.8]) print({ ...base, loss, worseModels }, trials, random);
}

function print(setting: Setting, trials: number, random: RandomStream): void {
  let alarms = 0;
  let lost = 0;
  let gained = 0;
  for (let trial = 0; trial < trials; trial++) {
    const { runs, joint, level } = compareAnswers(draw(setting, random), ACCURACY_ALARM_RATE);
    if ([...runs, ...(joint === null ? [] : [joint])].some(({ pLoss }) => pLoss <= level)) alarms += 1;
    for (const run of runs.slice(0, setting.worseModels)) {
      lost += run.lost;
      gained += run.gained;
    }
  }
  const { users, clipsPerUser, userShift, worseModels } = setting;
  const answers = trials * worseModels * users * clipsPerUser;
  const perRun = (count: number) => (count / trials / worseModels).toFixed(1);
  console.log(
    `${users} × ${clipsPerUser}, deviation ${userShift}, ${worseModels} of ${setting.models} models ${((100 * (lost - gained)) / answers).toFixed(1)} points worse ` +
      `(${perRun(lost)} lost, ${perRun(gained)} gained): ${((100 * alarms) / trials).toFixed(1)} %`,
  );
}

/** The wrong answers of each model before and now, on the same clips. */
function draw(
  { models, users, clipsPerUser, userShift, loss, worseModels }: Setting,
  random: RandomStream,
): WrongClips[] {
  const logits = Array.from({ length: users * clipsPerUser }, () => meanLogit + difficulty * random.normal());
  const answer = (shift: number): number[] => {
    const shifts = Array.from({ length: users }, () => userShift * random.normal() - shift);
    return logits.flatMap((logit, clip) => {
      const total = logit + (shifts[Math.floor(clip / clipsPerUser)] ?? 0);
      return random.uniform() < 1 / (1 + Math.exp(-total)) ? [] : [clip];
    });
  };
  return Array.from({ length: models }, (_, model) => ({
    before: answer(0),
    now: answer(model < worseModels ? loss : 0),
  }));
}
