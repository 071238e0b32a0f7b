import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatCsv } from '../src/formats/csv.ts';
import { judgeClaims } from '../src/report/claims/judge.ts';
import { collectClaims, collectResults } from '../src/report/collect.ts';
import { summariseModels } from '../src/report/data/outcome.ts';
import { answerQuestion, type QuestionSettings, tabulateAnswers } from '../src/report/data/question.ts';
import { EXPLORE_PAGE, renderExplorablePage } from '../src/report/explorable/make/page.ts';
import { collectPayload } from '../src/report/explorable/make/payload.ts';
import { toPlainText } from '../src/report/page/document.ts';
import { buildReport } from '../src/report/report.ts';
import { stateVerdicts } from '../src/report/sections/answer.ts';
import { formatJudgements } from '../src/report/sections/claims.ts';
import { listVerdicts } from '../src/report/sections/question.ts';
import { readOrigin } from '../src/report/sections/rerun.ts';
import { writeReport } from '../src/report/write.ts';
import { CLIP_EXAMPLES } from '../src/results/clip-examples.ts';
import { defineStage, requireInput, requireOutput } from '../src/runner/stage/define-stage.ts';
import { openFrameCache } from '../src/training/open-frames.ts';

interface Params {
  readonly models: readonly string[];
  readonly seeds: readonly number[];
  readonly report?: { readonly title?: string; readonly question?: QuestionSettings };
}

export default defineStage<Params>({
  summary: 'Writes the report: tables, figures and the page to read first.',
  async run(context) {
    const folder = requireOutput(context.outputs, 0, 'report');
    const input = (name: string): string => requireInput(context.inputs, name);
    const framesFolder = input('frames');
    const sources = {
      verify: input('manifest'),
      train: input('trained'),
      evaluate: input('evaluations'),
      examples: join(framesFolder, CLIP_EXAMPLES.folder),
      models: dirname(input('models')),
      dataset: input('dataset'),
      reference: 'logs' in context.inputs ? input('logs') : undefined, // only where the profile names some
    };
    const claims = await collectClaims(input('claims'));
    const results = await collectResults(sources, context.params);
    const outcomes = summariseModels(results);
    const judgements = judgeClaims(claims, results, outcomes);
    const question = answerQuestion(results, context.params.report?.question);
    const report = buildReport(results, {
      title: context.params.report?.title ?? `Run on ${results.dataset.title}`,
      origin: readOrigin(context.facts),
      judgements,
      question,
    });
    const written = await writeReport(report, folder, (done, total) =>
      context.progress({ done, total, unit: 'figures' }),
    );
    if (report.explore !== undefined) {
      // The page shows the first seed.
      const frames = await openFrameCache(framesFolder, () => results.models[0]?.runs[0]?.testUsers);
      const payload = await collectPayload(results, sources, frames);
      await frames.close();
      const script = await readFile(input('explore'), 'utf8');
      await writeFile(join(folder, EXPLORE_PAGE), renderExplorablePage(report, payload, script));
    }
    const answer = question === null ? null : listVerdicts(question);
    if (question !== null) context.note(toPlainText(stateVerdicts(results, question)));
    await writeFile(join(folder, 'claims.json'), formatJudgements(judgements, results.simulated, answer));
    if (question !== null) await writeFile(join(folder, 'answers.csv'), formatCsv(tabulateAnswers(results)));
    context.metrics({
      figures: written.figures,
      pageBytes: written.pageBytes,
      ...Object.fromEntries(
        outcomes.map(({ model, chosen }) => [`testAccuracy.${model.id}`, chosen.test.mean]),
      ),
    });
  },
});
