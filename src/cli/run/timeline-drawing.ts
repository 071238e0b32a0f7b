import { toCsv } from '../../report/drawing/figure.ts';
import { followColorScheme } from '../../report/drawing/palette.ts';
import { renderFigure } from '../../report/drawing/render.ts';
import { drawTimeline } from '../../report/figures/timeline.ts';
import type { TimelineSession } from '../../runner/extras/timeline.ts';

/** The timeline as files: an SVG that follows the reader's colour scheme, and all its values. */
export interface DrawnTimeline {
  readonly svg: string;
  readonly csv: string;
}

/**
 * Loads a plotting library, so it is imported only where something is drawn.
 *
 * @param sessions at least one
 * @param missing ids of the instances that never succeeded
 */
export async function drawSessions(
  sessions: readonly TimelineSession[],
  missing: readonly string[],
): Promise<DrawnTimeline> {
  const { figure, notice } = drawTimeline(
    sessions.map(({ spans, ...session }) => ({ ...session, bars: spans })),
    missing,
  );
  const { sheet } = await renderFigure(figure, notice);
  return { svg: followColorScheme(sheet), csv: toCsv(figure.data) };
}
