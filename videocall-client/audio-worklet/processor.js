/*
 * The two AudioWorklet processors of a call. Their context must run at 48 kHz:
 * `new AudioContext({ sampleRate: 48000 })`; at any other rate the constructors throw (`node.onprocessorerror`).
 *
 * Every `samples` is a Float32Array of 48 kHz mono whose buffer is transferred; every `port` is a transferred MessagePort.
 * `session` is the u64 session id as a BigInt (a decimal string is understood too), `track` the number of the track on
 * the wire, `sequence` the number of the frame on the wire (BigInt or Number).
 *
 * "videocall-playout": plays what the engine has decoded, all streams mixed, the same on every output channel.
 *   new AudioWorkletNode(context, "videocall-playout",
 *       { numberOfInputs: 0, outputChannelCount: [2], processorOptions: { module } })   module: WebAssembly.Module
 *   page   -> node.port  { port }                               the engine's port; a later one replaces it
 *   engine -> port       { session, track, sequence, time, repeats, samples }
 *                          one decoded packet, at most 5760 samples (120 ms). `time`: when the first one was captured, in
 *                          microseconds on the sender's clock; `repeats`: so many later packets bring this one again.
 *                          Send it as soon as it is decoded, in any order. AudioData.timestamp does not survive
 *                          gaps in every browser: pair outputs with sequence numbers in the order of decoding.
 *   engine -> port       { remove: { session, track } }         forget the stream; without `track`: all of the session
 *   both   <-            [{ session, track, level, delayMs, ... }]   every 100 ms, one entry per stream, see STATS,
 *                          besides `atUs`, the time in microseconds of the context; an empty array when there are none
 *
 * "videocall-capture": cuts the microphone into 20 ms frames. Connect it to the destination too, it puts out silence:
 * not every browser runs a node that leads nowhere.
 *   new AudioWorkletNode(context, "videocall-capture", { channelCount: 1, channelCountMode: "explicit" })
 *   page   -> node.port  { port }                               the engine's port; a later one replaces it
 *   page   -> node.port  { denoiser }                           WebAssembly.Module that takes noise out from now on
 *   page   -> node.port  { muted: true | false }                while muted, nothing is sent to anybody
 *   engine <- port       { samples, time, level }               960 samples; `time` of the first one, in microseconds of
 *                          `context.currentTime`; `level` is their RMS, 0 to 1
 *   page   <- node.port  { level }                              with every frame
 */

const RATE = 48000;
const FRAME = 960;
const STATS_INTERVAL = RATE / 10;

// One record of the module's statistics: the session as u64, then these as f64, in this order. Times are in
// milliseconds, counts in samples except for lost, late and dropped, which count packets.
const STATS = [
  "track",
  "level", // RMS of what was played in the last 100 ms or so, 0 to 1
  "delayMs", // what the buffer adds at present
  "targetMs", // what it aims at
  "sequence", // of the packet that is being played
  "lost", // missing when they were due
  "late", // came after that, or twice
  "dropped", // because the buffer was full
  "normal", // played as they came
  "accelerate", // left out to catch up
  "preemptive", // put in to gain time
  "expand", // made up because nothing was there
  "merge", // cross-faded from made up to real
  "heardUs", // when what is played at `atUs` was captured, in microseconds on the sender's clock; NaN: nothing is
];

function require48kHz() {
  if (sampleRate !== RATE) {
    throw new Error(`the context runs at ${sampleRate} Hz, not at ${RATE} Hz`);
  }
}

class Playout extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    require48kHz();
    this.wasm = new WebAssembly.Instance(processorOptions.module).exports;
    this.untilStats = STATS_INTERVAL;
    this.engine = null;
    this.port.onmessage = ({ data }) => {
      if (!data.port) return;
      this.engine?.close();
      this.engine = data.port;
      this.engine.onmessage = (event) => this.handle(event.data);
    };
  }

  handle({ session, track, sequence, time = 0, repeats = 0, samples, remove }) {
    if (remove?.track !== undefined) {
      this.wasm.remove(BigInt(remove.session), remove.track);
    } else if (remove) {
      this.wasm.remove_session(BigInt(remove.session));
    } else if (samples && samples.length <= this.wasm.input_len()) {
      this.floats(this.wasm.input(), samples.length).set(samples);
      this.wasm.push(BigInt(session), track, BigInt(sequence), time, repeats, samples.length);
    }
  }

  process(_inputs, [channels]) {
    const frames = channels[0].length;
    const mixed = this.floats(this.wasm.render(frames), frames);
    for (const channel of channels) channel.set(mixed);
    this.untilStats -= frames;
    if (this.untilStats <= 0) {
      this.untilStats += STATS_INTERVAL;
      const stats = this.stats(currentFrame + frames);
      this.port.postMessage(stats);
      this.engine?.postMessage(stats);
    }
    return true;
  }

  // `next`: the frame of the context that is rendered next.
  stats(next) {
    const atUs = (next / RATE) * 1e6;
    const count = this.wasm.update_stats();
    const start = this.wasm.stats();
    const width = STATS.length + 1;
    const sessions = new BigUint64Array(this.wasm.memory.buffer, start, count * width);
    const numbers = new Float64Array(this.wasm.memory.buffer, start, count * width);
    return Array.from({ length: count }, (_, row) => {
      const entry = { session: sessions[row * width], atUs };
      STATS.forEach((name, column) => {
        entry[name] = numbers[row * width + 1 + column];
      });
      return entry;
    });
  }

  // A view is made anew each time: it dies when the module's memory grows.
  floats(start, length) {
    return new Float32Array(this.wasm.memory.buffer, start, length);
  }
}

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    require48kHz();
    this.engine = null;
    this.denoiser = null;
    this.muted = false;
    this.stopped = false;
    this.startFrame();
    this.port.onmessage = ({ data }) => {
      if (data.port) {
        this.engine?.close();
        this.engine = data.port;
      }
      if (data.denoiser) this.denoiser = new WebAssembly.Instance(data.denoiser).exports;
      if (data.stop) this.stopped = true;
      if (data.muted !== undefined) {
        this.muted = data.muted;
        this.startFrame();
      }
    };
  }

  startFrame() {
    this.frame = new Float32Array(FRAME);
    this.filled = 0;
  }

  process([channels]) {
    // A processor that keeps returning true is run on, even when nothing is connected to it.
    if (this.stopped) return false;
    const input = channels[0];
    if (this.muted || !input) {
      this.filled = 0;
      return true;
    }
    for (let i = 0; i < input.length; i++) {
      this.frame[this.filled++] = input[i];
      if (this.filled === FRAME) this.send(currentFrame + i + 1 - FRAME);
    }
    return true;
  }

  // The frame without its noise. Returns by how many samples it is behind.
  denoise(samples) {
    const length = this.denoiser.frame_len();
    const place = this.denoiser.samples();
    // Made anew each time, as in `floats`.
    const view = () => new Float32Array(this.denoiser.memory.buffer, place, length);
    for (let start = 0; start + length <= samples.length; start += length) {
      const part = samples.subarray(start, start + length);
      view().set(part);
      this.denoiser.process();
      part.set(view());
    }
    return length;
  }

  send(frameStart) {
    const samples = this.frame;
    const firstSample = this.denoiser ? frameStart - this.denoise(samples) : frameStart;
    const level = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / FRAME);
    const time = Math.round((firstSample / RATE) * 1e6);
    this.engine?.postMessage({ samples, time, level }, [samples.buffer]);
    this.port.postMessage({ level });
    this.startFrame();
  }
}

registerProcessor("videocall-playout", Playout);
registerProcessor("videocall-capture", Capture);
