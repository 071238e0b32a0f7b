import { type Command, Option } from 'commander';
import { collect } from './values.ts';

/** The options that select the graph; every command that reads the pipeline has them. */
export function withPipelineOptions(command: Command): Command {
  return command
    .option(
      '-p, --profile <name>',
      'a file in configs/profiles, without .yaml (default: the one that pipeline.yaml names)',
    )
    .addOption(
      new Option(
        '-s, --set <key=value>',
        'override one value of the profile, as in train.epochs=3; may be repeated; paths are relative to the project',
      )
        .argParser(collect)
        .default([], 'none'),
    );
}
