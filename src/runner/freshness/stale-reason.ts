type StaleCue =
  | 'never-run'
  /** Parts of the fingerprint; `command` stands for the outputs, too. */
  | 'command'
  | 'code'
  | 'package'
  | 'params'
  | 'input'
  | 'variable'
  | 'fact'
  | 'runtime'
  | 'output-missing'
  | 'output-altered'
  /** The output in place is what another run made, such as one with other settings. */
  | 'output-of-other-run'
  /** The output is in place, its copy in the store is not. */
  | 'store-lost'
  /** It was interrupted and resumes from what it saved. */
  | 'interrupted'
  | 'record'
  | 'no-record'
  | 'forced'
  /** What a training from the command line was asked for. */
  | 'arguments';

/** Why an instance has to run, for people and for programs. */
export interface StaleReason {
  readonly cue: StaleCue;
  readonly text: string;
}
