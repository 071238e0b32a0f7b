import { CAMERA } from '../../datasets/simulated/recording.ts';
import { type Moved, OwnScene, type PathPoint } from '../own-scene.ts';
import { readPalette } from './canvas.ts';
import { byId, listOptions } from './dom.ts';

const LONGEST_US = 3e6;
/** In less, a click for instance, nothing has moved. */
const SHORTEST_US = 200_000;
/** With arrow keys: about as fast as a hand that waves. Pixels a second. */
const KEY_SPEED = 90;

/** An arm comes first: with it, the networks know what they see. */
const MOVED: readonly (readonly [Moved, string])[] = [
  ['right arm', 'the right arm of a simulated person'],
  ['left arm', 'the left arm of a simulated person'],
  ['disc', 'a bright disc'],
];

/** The picture before the simulated camera, in which the reader moves something: recorded while the pointer is pressed, at most 3 s. */
export function makePad(
  record: (path: readonly PathPoint[], moved: Moved) => void,
  report: (text: string) => void,
): void {
  const [canvas, progress, select] = [
    byId('canvas', 'pad'),
    byId('progress', 'recorded'),
    byId('select', 'moved'),
  ];
  [canvas.width, canvas.height, progress.max] = [CAMERA.width, CAMERA.height, LONGEST_US];
  select.innerHTML = listOptions(MOVED);
  const pressed = new Set<string>();
  let moved: Moved = 'right arm';
  let scene = new OwnScene(moved);
  let [x, y] = [30, 60];
  /** Null while it does not record. */
  let path: PathPoint[] | null = null;
  let startedMs = 0;
  let tickedMs = 0;

  function draw(): void {
    const { picture, events } = scene.watch(x, y);
    const image = new ImageData(CAMERA.width, CAMERA.height);
    image.data.fill(255);
    for (const [i, level] of picture.entries()) image.data.fill(150 + 85 * level, 4 * i, 4 * i + 3);
    const context = canvas.getContext('2d')!;
    context.putImageData(image, 0, 0);
    const { on, off } = readPalette();
    for (const [i, event] of events.entries()) {
      if (event === 0) continue;
      context.fillStyle = event > 0 ? on : off;
      context.fillRect(i % CAMERA.width, Math.floor(i / CAMERA.width), 1, 1);
    }
  }

  function moveTo(newX: number, newY: number): void {
    x = Math.min(CAMERA.width - 1, Math.max(0, newX));
    y = Math.min(CAMERA.height - 1, Math.max(0, newY));
    addPoint();
    if (path === null) draw();
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
    draw();
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

  select.onchange = () => {
    moved = MOVED.find(([one]) => one === select.value)?.[0] ?? 'disc';
    scene = new OwnScene(moved);
    draw();
  };
  canvas.onpointerdown = (event) => {
    if (event.button !== 0 || path !== null) return;
    canvas.setPointerCapture(event.pointerId);
    follow(event);
    start();
  };
  canvas.onpointermove = follow;
  canvas.onpointerup = stop;
  canvas.onpointercancel = stop;
  canvas.onkeydown = (event) => {
    if (event.key === 'Enter') stop();
    if (!event.key.startsWith('Arrow')) return;
    // Elsewhere on the page, arrow keys go to another step.
    event.preventDefault();
    pressed.add(event.key);
    if (path === null && !event.repeat) start();
  };
  canvas.onkeyup = ({ key }) => pressed.delete(key);
  canvas.onblur = () => pressed.clear();
  draw();
}
