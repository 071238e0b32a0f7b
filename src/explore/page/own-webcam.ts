import { CAMERA, type SceneImage } from '../../datasets/simulated/recording.ts';
import { logLuminance } from '../own-scene.ts';
import { byId } from './dom.ts';

/** A camera adapts to the light first, and the reader gets ready. */
const WAIT_MS = 1000;
const RECORDED_MS = 2000;

/**
 * What a webcam sees for 2 s, for the simulated camera to film: the middle square of each picture, as log luminance; times from 0.
 *
 * @throws {Error} whose message is for the reader
 */
export async function filmWebcam(report: (text: string) => void): Promise<SceneImage[]> {
  const canvas = byId('canvas', 'webcam-picture');
  [canvas.width, canvas.height] = [CAMERA.width, CAMERA.height];
  let stream: MediaStream | null = null;
  try {
    // Some browsers do not offer it to pages opened from the disk.
    if (!('mediaDevices' in navigator)) throw new DOMException('', 'NotAllowedError');
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } });
    const video = document.createElement('video');
    video.playsInline = true;
    video.srcObject = stream;
    await video.play();
    report('Get ready …');
    canvas.hidden = false;
    return await watch(video, canvas, report);
  } catch (error) {
    throw explainRefusal(error);
  } finally {
    for (const track of stream?.getTracks() ?? []) track.stop();
    canvas.hidden = true;
  }
}

function watch(
  video: HTMLVideoElement,
  canvas: HTMLCanvasElement,
  report: (text: string) => void,
): Promise<SceneImage[]> {
  const { width, height } = canvas;
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  const images: SceneImage[] = [];
  let startMs: number | null = null;
  return new Promise((resolve) => {
    const take = (nowMs: number) => {
      startMs ??= nowMs + WAIT_MS;
      const side = Math.min(video.videoWidth, video.videoHeight);
      const [left, top] = [(video.videoWidth - side) / 2, (video.videoHeight - side) / 2];
      context.drawImage(video, left, top, side, side, 0, 0, width, height);
      if (nowMs >= startMs) {
        if (images.length === 0) report('Recording …');
        const level = logLuminance(context.getImageData(0, 0, width, height).data);
        images.push({ tUs: Math.round((nowMs - startMs) * 1000), level });
      }
      if (nowMs < startMs + RECORDED_MS) video.requestVideoFrameCallback(take);
      else resolve(images);
    };
    video.requestVideoFrameCallback(take);
  });
}

function explainRefusal(cause: unknown): Error {
  const name = cause instanceof Error ? cause.name : '';
  if (name === 'NotFoundError') return new Error('There is no webcam.', { cause });
  if (name !== 'NotAllowedError') return new Error(`The webcam cannot be used: ${String(cause)}.`, { cause });
  const text =
    'The browser did not allow the webcam. Some browsers never allow it to a page opened from the disk.';
  return new Error(text, { cause });
}
