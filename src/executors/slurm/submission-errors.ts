import { ReproError } from '../../errors.ts';

/** What `sbatch` says -> what is wrong, and how to mend it. */
const explanations: readonly (readonly [said: RegExp, text: string, fix: string])[] = [
  [
    /invalid partition/i,
    'this cluster has no such partition, or you may not use it',
    'Set `partition` to one of these: sinfo -o "%R %l %G"',
  ],
  [
    /invalid account|account\/partition combination/i,
    'the account is not one that you may use there',
    'Set `account` to one of yours: sacctmgr show associations user=$USER format=account,partition,qos',
  ],
  [/invalid qos/i, 'the qos is not one that you may use there', 'sacctmgr show qos lists them.'],
  [
    /invalid feature/i,
    'no node has the features that `constraint` names',
    'sinfo -o "%N %f" shows the features of all nodes.',
  ],
  [
    /node configuration is not available|memory specification|more processors requested|invalid generic resource|node count specification/i,
    'no node has what it asks for: cores, memory or GPUs',
    'sinfo -o "%R %N %c %m %G" shows what there is; lower `resources:` or choose another partition.',
  ],
  [
    /time limit/i,
    'its time limit is longer than the partition allows',
    'Set a shorter `time` in configs/executors/slurm.yaml; a stage with a resume folder goes on in another job.',
  ],
  [
    /invalid job array specification/i,
    'the array is larger than this cluster allows',
    'Set `arraySize` in configs/executors/slurm.yaml: scontrol show config | grep MaxArraySize',
  ],
  [
    /job violates accounting\/qos policy|submit limit|qosmaxsubmit|assocmaxsubmit|maximum number of/i,
    'you have more jobs than you may submit',
    'Wait until some have ended, then run again: what is submitted is kept.',
  ],
  [/unrecognized option|unrecognised option/i, 'sbatch does not know one of the options', 'Correct `flags`.'],
];

/** The failure of a submission, as its author can mend it. */
export function explainSubmission(said: string, scriptFile: string): ReproError {
  const text = said.replaceAll(/^sbatch: (error: )?/gm, '').trim();
  const found = explanations.find(([pattern]) => pattern.test(said));
  const [what, fix] =
    found === undefined
      ? ['Slurm refuses the job', 'Correct what it says in configs/executors/slurm.yaml or `resources:`.']
      : [found[1], found[2]];
  return new ReproError('slurm-refused', `${what}\n  sbatch: ${text.replaceAll('\n', '\n  sbatch: ')}`, {
    where: scriptFile,
    fix,
  });
}

/** Whether it was refused because a job that it depends on is no longer known: that one has ended meanwhile. */
export function isDependencyGone(said: string): boolean {
  return /job dependency problem/i.test(said);
}

/** Whether it was refused because a user, account or qos has as many jobs as it may submit: that passes. */
export function isLimitReached(said: string): boolean {
  return /(qos|assoc)(max|grp)\w*submit\w*limit/i.test(said);
}
