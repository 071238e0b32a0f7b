import { CAMERA } from '../../datasets/simulated/recording.ts';
import { type Moved, OwnScene, type PathPoint } from '../own-scene.ts';
import { element } from './dom.ts';

const LONGEST_US = 3e6;
/** In less, a click for instance, nothing has moved. */
const SHORTEST_US = 200_000;
/** With arrow keys: about as fast as a hand that waves. Pixels a second. */
const KEY_SPEED = 90;

/** An arm comes first: with it, the networks know what they see. */
const MOVED: Readonly<Record<Moved, string>> = {
  'right arm': 'the right arm of a simulated person',
  'left arm': 'the left arm of a simulated person',
  disc: 'a bright disc',
};

/** The picture before the simulated camera, in which the reader moves something: recorded while the pointer is pressed, at most 3 s. */
export function makePad(
  record: (path: readonly PathPoint[], moved: Moved) => void,
  report: (text: string) => void,
): HTMLElement {
  const canvas = element('canvas', {
    ...{ width: CAMERA.width, height: CAMERA.height, tabindex: 0, role: 'application' },
    'aria-label': 'Picture before the camera: arrow keys move, Enter ends the recording',
  });
  const progress = element('progress', { max: LONGEST_US, value: 0, 'aria-label': 'Recorded, of 3 seconds' });
  const options = Object.entries(MOVED).map(([value, text]) => element('option', { value }, text));
  const select = element('select', { onchange: () => choose(select.value) }, ...options);
  const pressed = new Set<string>();
  let moved: Moved = 'right arm';
  let scene = new OwnScene(moved);
  let [x, y] = [30, 60];
  /** Null while it does not record. */
  let path: PathPoint[] | null = null;
  let startedMs = 0;
  let tickedMs = 0;

  function choose(value: string): void {
    moved = Object.keys(MOVED).find((one): one is Moved => one === value) ?? 'disc';
    scene = new OwnScene(moved);
    draw();
  }

  function draw(): void {
    const image = new ImageData(CAMERA.width, CAMERA.height);
    image.data.fill(255);
    for (const [i, level] of scene.render(x, y).entries())
      image.data.fill(150 + 85 * level, 4 * i, 4 * i + 3);
    canvas.getContext('2d')?.putImageData(image, 0, 0);
  }

  function moveTo(newX: number, newY: number): void {
    x = Math.min(CAMERA.width - 1, Math.max(0, newX));
    y = Math.min(CAMERA.height - 1, Math.max(0, newY));
    addPoint();
    draw();
  }

  function addPoint(): void {
    const tUs = Math.min(LONGEST_US, Math.round((performance.now() - startedMs) * 1000));
    // Clocks of browsers are coarse.
    if (path !== null && tUs > path.at(-1)!.tUs) path.push({ tUs, x, y });
  }

  function start(): void {
    startedMs = performance.now();
    tickedMs = startedMs;
    path = [{ tUs: 0, x, y }];
    report('Recording …');
    requestAnimationFrame(tick);
  }

  function tick(nowMs: number): void {
    if (path === null) return;
    const step = (KEY_SPEED * Math.max(0, nowMs - tickedMs)) / 1000;
    tickedMs = nowMs;
    const along = (on: string, back: string) => step * (Number(pressed.has(on)) - Number(pressed.has(back)));
    moveTo(x + along('ArrowRight', 'ArrowLeft'), y + along('ArrowDown', 'ArrowUp'));
    progress.value = path.at(-1)!.tUs;
    if (progress.value >= LONGEST_US) stop();
    else requestAnimationFrame(tick);
  }

  function stop(): void {
    addPoint();
    const recorded = path;
    path = null;
    progress.value = 0;
    if (recorded === null) return;
    if (recorded.at(-1)!.tUs < SHORTEST_US) report('That was too short: keep pressing while you move.');
    else record(recorded, moved);
  }

  function follow({ clientX, clientY }: PointerEvent): void {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    moveTo(((clientX - left) / width) * CAMERA.width, ((clientY - top) / height) * CAMERA.height);
  }

  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || path !== null) return;
    canvas.setPointerCapture(event.pointerId);
    follow(event);
    start();
  });
  canvas.addEventListener('pointermove', follow);
  canvas.addEventListener('pointerup', stop);
  canvas.addEventListener('pointercancel', stop);
  canvas.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') stop();
    if (!event.key.startsWith('Arrow')) return;
    // Elsewhere on the page, arrow keys go to another step.
    event.preventDefault();
    pressed.add(event.key);
    if (path === null && !event.repeat) start();
  });
  canvas.addEventListener('keyup', ({ key }) => pressed.delete(key));
  canvas.addEventListener('blur', () => pressed.clear());
  draw();
  return element('div', { class: 'pad' }, element('label', {}, 'Move ', select), canvas, progress);
}
