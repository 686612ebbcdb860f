/*
 * The part of WebCodecs for sound that the engine uses, for Workers of browsers without it: Opus at 48 kHz, mono, by the
 * module of this crate. What the browser has is left alone, piece by piece.
 *
 *   install(module, lacking)   module: WebAssembly.Module, lacking: "AudioEncoder", "AudioDecoder" or both. These get set,
 *                              with `inWasm: true`, and AudioData and EncodedAudioChunk where there are none.
 *
 * Outputs come in microtasks, errors too: never while the engine calls.
 */

const RATE = 48_000;
// A packet of DTX that says nothing has no more bytes.
const SILENT_BYTES = 2;

let module;

export function install(compiled, lacking) {
  module = compiled;
  globalThis.AudioData ??= Data;
  globalThis.EncodedAudioChunk ??= Chunk;
  for (const name of lacking) globalThis[name] = { AudioEncoder: Encoder, AudioDecoder: Decoder }[name];
}

class Data {
  #samples;

  constructor({ format, sampleRate, numberOfChannels, numberOfFrames, timestamp, data }) {
    if (format !== "f32-planar" || numberOfChannels !== 1) throw unsupported(`${numberOfChannels} x ${format}`);
    Object.assign(this, { format, sampleRate, numberOfChannels, numberOfFrames, timestamp });
    this.duration = Math.round((numberOfFrames / sampleRate) * 1e6);
    this.#samples = new Float32Array(data).subarray(0, numberOfFrames);
  }

  copyTo(target) {
    const { buffer, byteOffset } = ArrayBuffer.isView(target) ? target : { buffer: target, byteOffset: 0 };
    new Float32Array(buffer, byteOffset, this.numberOfFrames).set(this.#samples);
  }

  close() {
    this.#samples = new Float32Array();
    this.numberOfFrames = 0;
  }
}

class Chunk {
  #data;

  constructor({ type, timestamp, duration = null, data }) {
    Object.assign(this, { type, timestamp, duration });
    const view = ArrayBuffer.isView(data) ? data : new Uint8Array(data);
    this.#data = new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice();
    this.byteLength = this.#data.length;
  }

  copyTo(target) {
    const { buffer, byteOffset } = ArrayBuffer.isView(target) ? target : { buffer: target, byteOffset: 0 };
    new Uint8Array(buffer, byteOffset, this.byteLength).set(this.#data);
  }
}

/** What encoders and decoders have in common: an instance of the module, and outputs that come later. */
class Codec {
  static inWasm = true;

  static async isConfigSupported(config) {
    const { codec, sampleRate, numberOfChannels } = config;
    const supported = codec === "opus" && sampleRate === RATE && numberOfChannels === 1;
    return { supported, config };
  }

  state = "unconfigured";
  #output;
  #error;
  #waiting = 0;

  constructor({ output, error }) {
    this.#output = output;
    this.#error = error;
  }

  get waiting() {
    return this.#waiting;
  }

  start(make) {
    if (this.state === "closed") throw new DOMException("it is closed", "InvalidStateError");
    this.opus = new WebAssembly.Instance(module).exports;
    if (make(this.opus) < 0) throw unsupported("the configuration");
    this.state = "configured";
  }

  /** Puts out what `work` returns, if anything. If it fails, that is the end. */
  run(work) {
    if (this.state !== "configured") throw new DOMException(`it is ${this.state}`, "InvalidStateError");
    let result, error;
    try {
      result = work(this.opus);
    } catch (thrown) {
      error = new DOMException(String(thrown), "EncodingError");
    }
    this.#waiting++;
    queueMicrotask(() => {
      this.#waiting--;
      if (this.state !== "configured") return;
      if (error) {
        this.close();
        this.#error(error);
      } else if (result) {
        this.#output(result);
      }
    });
  }

  async flush() {}

  reset() {
    this.state = "unconfigured";
    this.opus = null;
  }

  close() {
    this.state = "closed";
    this.opus = null;
  }
}

class Encoder extends Codec {
  get encodeQueueSize() {
    return this.waiting;
  }

  configure({ bitrate = 32_000, opus = {} }) {
    this.start((exports) => exports.encoder(bitrate, opus.application !== "audio", opus.usedtx === true));
  }

  encode(data) {
    const { timestamp, duration, numberOfFrames } = data;
    this.run((opus) => {
      if (numberOfFrames > opus.samples_len()) throw new RangeError(`${numberOfFrames} samples`);
      const samples = new Float32Array(opus.memory.buffer, opus.samples(), numberOfFrames);
      data.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
      const bytes = checked(opus.encode(numberOfFrames));
      if (bytes <= SILENT_BYTES) return null;
      const packet = new Uint8Array(opus.memory.buffer, opus.packet(), bytes);
      return new globalThis.EncodedAudioChunk({ type: "key", timestamp, duration, data: packet });
    });
  }
}

class Decoder extends Codec {
  get decodeQueueSize() {
    return this.waiting;
  }

  configure() {
    this.start((exports) => exports.decoder());
  }

  decode(chunk) {
    this.run((opus) => {
      if (chunk.byteLength > opus.packet_len()) throw new RangeError(`${chunk.byteLength} bytes`);
      chunk.copyTo(new Uint8Array(opus.memory.buffer, opus.packet(), chunk.byteLength));
      const numberOfFrames = checked(opus.decode(chunk.byteLength));
      const data = new Float32Array(opus.memory.buffer, opus.samples(), numberOfFrames).slice();
      const { timestamp } = chunk;
      const format = "f32-planar";
      return new globalThis.AudioData({ format, sampleRate: RATE, numberOfChannels: 1, numberOfFrames, timestamp, data });
    });
  }
}

function checked(count) {
  if (count < 0) throw new Error("Opus failed");
  return count;
}

function unsupported(what) {
  return new DOMException(`${what} is not supported`, "NotSupportedError");
}
