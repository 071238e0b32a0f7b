import type { Payload } from '../payload.ts';

/** All of the page that stays the same; what the parts find by its ids and fill. */
export function writeMarkup({ frames: { steps } }: Payload): string {
  return `
<p class="introduction">A trained spiking network watches a clip of ${steps} frames of events, and runs in your browser while you watch. Each of its
neurons gathers input, leaks it with its time constant τ, and fires when it reaches the threshold. Things to try: show it the clip backwards; make every
neuron remember twice as long; choose a clip on which the networks disagree.</p>
<div class="controls" id="controls">
  <div><label for="network">Network (accuracy on test clips)</label><select id="network"></select></div>
  <div><label for="clip">Clip</label><select id="clip">
    <optgroup label="One of each class"></optgroup>
    <optgroup label="The networks disagree"></optgroup>
    <optgroup label="Your own"></optgroup>
  </select></div>
  <div><label for="frames">Frames</label><select id="frames">
    <option value="as-is">as recorded</option>
    <option value="reversed">backwards</option>
    <option value="shuffled">shuffled</option>
    <optgroup label="One frame again and again"></optgroup>
  </select></div>
  <div><label for="beside">Beside it, as trained</label><select id="beside"></select></div>
</div>
<section class="chooser" id="chooser">
  <p></p>
  <input type="file" accept=".safetensors" aria-label="File of the network">
  <p role="alert"></p>
</section>
<p class="problem" role="status" id="lost" hidden>The clip of this link was made by its sender and stayed on the sender’s computer.
Another clip is shown in its place.</p>
<p class="problem" role="alert" id="problem"></p>
<div class="top">
  <div class="player">
    <button type="button" class="play" id="play">Play</button>
    <input type="range" id="step" min="1" max="${steps}" aria-label="Step">
    <output class="step" id="step-text"></output>
  </div>
  <div class="answer" id="answer"><p role="status" id="sentence"></p><button type="button" id="undo">Undo all changes</button></div>
</div>
<div class="columns" id="columns">
  <div>
    <section class="stage" aria-label="Clip and votes">
      <div class="scene">
        <h2>What the network sees</h2>
        <div><canvas class="events" id="events" role="img"></canvas></div>
        <p class="scale"><span><i class="one on"></i>brighter</span><span><i class="one off"></i>darker, at this step</span></p>
      </div>
      <div class="verdict">
        <h2>How its outputs vote</h2>
        <div class="votes" id="votes" role="img"></div>
        <p class="account">▶ leads so far (several: a tie), ● true class<span id="votes-beside">; ▷ and thin bars: the model beside</span></p>
        <table class="counts" id="counts"></table>
      </div>
    </section>
    <section class="layers" aria-labelledby="layers">
      <h2 id="layers">What its neurons do</h2>
      <fieldset class="choice" id="show">
        <legend>Each square is a neuron. Show</legend>
        <label><input type="radio" name="show" value="spikes">spikes</label>
        <label><input type="radio" name="show" value="potential">potential</label>
        <label><input type="radio" name="show" value="tau">time constant τ</label>
      </fieldset>
      <div class="scale" id="scale"></div>
      <div id="layer-list"></div>
    </section>
  </div>
  <div class="side">
    <section class="inspector" id="inspector" aria-labelledby="neuron">
      <h2 id="neuron">One of its neurons</h2>
      <p class="name" id="neuron-name"></p>
      <div class="neuron" id="neuron-figure"></div>
      <p class="account" id="neuron-account"></p>
    </section>
    <section class="editing" aria-labelledby="editing">
      <h2 id="editing">Change its neurons</h2>
      <fieldset id="factors">
        <legend>Time constant τ, times the learned one; the three multiply (at least 1 step)</legend>
      </fieldset>
      <fieldset class="choice" id="reset">
        <legend>After a spike, reset</legend>
        <label><input type="radio" name="reset" value="hard">to rest</label>
        <label><input type="radio" name="reset" value="soft">by the threshold</label>
      </fieldset>
    </section>
  </div>
</div>
<section class="training" aria-labelledby="training">
  <h2 id="training">Train it here</h2>
  <p id="offer"></p>
  <div id="training-controls">
    <button type="button" id="train"></button>
    <p role="status" id="training-text"></p>
    <div class="panels" id="charts"></div>
  </div>
</section>
<section class="own" aria-labelledby="own">
  <h2 id="own">Make a clip of your own</h2>
  <p role="status" id="own-text"></p>
  <a href="#controls" id="look" hidden>Look at it</a>
  <div class="ways">
    <div id="camera">
      <h3>Move a disc before the simulated camera</h3>
      <p>Press and move, with the mouse or a finger: it records until you let go, at most 3 seconds. With the keyboard: arrow keys start it
      and move, Enter ends it, Escape cancels it.</p>
      <canvas id="pad" tabindex="0" role="application" aria-label="Picture before the camera: arrow keys move the disc, Enter ends the recording, Escape cancels it"></canvas>
    </div>
    <div>
      <h3>Load a recording</h3>
      <p>Choose a file: AEDAT 2.0, 3.1 or 4.0, or a sample of N-MNIST (.bin). It stays on this computer.</p>
      <label>File <input type="file" id="recording" accept=".aedat,.aedat4,.bin"></label>
      <label>From second <input type="number" id="cut-start" min="0" step="any" value="0" required></label>
      <label>Seconds <input type="number" id="cut-length" min="0.001" step="any" required></label>
    </div>
  </div>
</section>
<p class="unseen" role="status" id="account"></p>
`;
}
