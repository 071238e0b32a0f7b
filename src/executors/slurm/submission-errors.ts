import { ReproError } from '../../errors.ts';

/** The settings that a submission may be refused for. */
export type RequestKey =
  | 'partition'
  | 'account'
  | 'qos'
  | 'constraint'
  | 'cpu'
  | 'memory'
  | 'gpu'
  | 'time'
  | 'flags';

/** What `sbatch` prints -> what is wrong, how to fix it, and the keys concerned. */
const explanations: readonly (readonly [said: RegExp, text: string, fix: string, ...keys: RequestKey[]])[] = [
  [
    /invalid partition/i,
    'this cluster has no such partition, or you may not use it',
    'Set `partition` to one of these: sinfo -o "%R %l %G"',
    'partition',
  ],
  [
    /invalid account|account\/partition combination/i,
    'you may not use this account there',
    'Set `account` to one of yours: sacctmgr show associations user=$USER format=account,partition,qos',
    'account',
    'partition',
  ],
  [/invalid qos/i, 'you may not use this qos there', 'sacctmgr show qos lists them.', 'qos'],
  [
    /invalid feature/i,
    'no node has the features that `constraint` names',
    'sinfo -o "%N %f" shows the features of all nodes.',
    'constraint',
  ],
  [
    /node configuration is not available|memory specification|more processors requested|invalid generic resource|node count specification/i,
    'no node has the requested cores, memory or GPUs',
    'sinfo -o "%R %N %c %m %G" shows what there is; lower `resources:` or choose another partition.',
    ...(['cpu', 'memory', 'gpu', 'partition'] as const),
  ],
  [
    /time limit/i,
    'its time limit is longer than the partition allows',
    'Set a shorter `time` in configs/executors/slurm.yaml; a stage with a resume folder continues in another job.',
    'time',
  ],
  [
    /invalid job array specification/i,
    'the array is larger than this cluster allows',
    'Set `arraySize` in configs/executors/slurm.yaml: scontrol show config | grep MaxArraySize',
  ],
  [
    /job violates accounting\/qos policy|submit limit|qosmaxsubmit|assocmaxsubmit|maximum number of/i,
    'you have reached your limit of submitted jobs',
    'Wait until some have ended, then run again: submitted jobs are kept.',
  ],
  [
    /unrecognized option|unrecognised option/i,
    'sbatch does not know one of the options',
    'Correct `flags`.',
    'flags',
  ],
];

/**
 * Explains why a submission was refused, and how to fix it.
 *
 * @param placeOf where the values of some keys are written
 */
export function explainSubmission(
  said: string,
  placeOf: (keys: readonly RequestKey[]) => string,
): ReproError {
  const text = said.replaceAll(/^sbatch: (error: )?/gm, '').trim();
  const found = explanations.find(([pattern]) => pattern.test(said));
  const [, what, fix, ...keys] = found ?? [
    /./,
    'Slurm refuses the job',
    'Correct what it says in configs/executors/slurm.yaml or `resources:`.',
  ];
  return new ReproError('slurm-refused', `${what}\n  sbatch: ${text.replaceAll('\n', '\n  sbatch: ')}`, {
    where: placeOf(keys),
    fix,
  });
}

/** Whether it was refused because a user, account or qos has reached its limit of submitted jobs, which passes. */
export function isLimitReached(said: string): boolean {
  return /(qos|assoc)(max|grp)\w*submit\w*limit/i.test(said);
}
