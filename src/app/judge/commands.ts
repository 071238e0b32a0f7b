import { type Command, Option } from 'commander';
import { lazily } from '../options/options.ts';

const help = `
Judges your own results, from whatever pipeline. judge.yaml says what is claimed, with a margin stated before; results.csv has a row for each
answer: arm, seed, item and correct (or value, for scores), and optionally group, such as a person or a site. docs/judge.md describes both.

Exits with 4 if a claim is not reproduced; else with 2 if a file is wrong, or a claim is not applicable to these results.

Examples:`;

/** The forms in which verdicts can be printed instead of lines for people. */
const formats = {
  json: 'print one JSON document',
  junit: 'print a JUnit test suite, in XML',
  markdown: 'print a Markdown table',
  latex: 'print LaTeX macros: \\verdictXyz, \\valueXyz and \\intervalXyz for a claim xyz',
};

/** @param name how examples call the command */
export function describeJudgeCommand(command: Command, name: string): Command {
  const examples = ['', ' --junit > claims.xml', ' --latex > verdicts.tex'].map(
    (options) => `\n  $ ${name} judge.yaml results.csv${options}`,
  );
  command
    .description('judge results of your own against published claims')
    .argument('<claims>', 'a YAML file with the claims')
    .argument('<results>', 'a CSV file with a row for each answer')
    .addHelpText('after', help + examples.join(''))
    .action(lazily(async () => (await import('./judge.ts')).judgeResults));
  for (const [format, description] of Object.entries(formats)) {
    const others = Object.keys(formats).filter((other) => other !== format);
    command.addOption(new Option(`--${format}`, description).conflicts(others));
  }
  return command;
}
