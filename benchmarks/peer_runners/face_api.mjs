// @vladmandic/face-api in Node, on TensorFlow.js's backend "wasm": faces by its SSD MobileNet V1, their points and expressions.
// node face_api.mjs FILM OUT EVERY MODULES: MODULES is the folder in which npm installed it. Frames come from ffmpeg.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [film, out, every, modules] = process.argv.slice(2);
const [width, height] = [1920, 1080];
const require = createRequire(join(modules, "package.json"));
const tf = require("@tensorflow/tfjs");
const wasm = require("@tensorflow/tfjs-backend-wasm");
const faceapi = require("@vladmandic/face-api/dist/face-api.node-wasm.js");

wasm.setWasmPaths(join(modules, "node_modules/@tensorflow/tfjs-backend-wasm/dist/"));
wasm.setThreadsCount(1);
await tf.setBackend("wasm");
await tf.ready();
const weights = join(modules, "node_modules/@vladmandic/face-api/model");
await faceapi.nets.ssdMobilenetv1.loadFromDisk(weights);
await faceapi.nets.faceLandmark68Net.loadFromDisk(weights);
await faceapi.nets.faceExpressionNet.loadFromDisk(weights);

async function* pictures() {
  const chosen = `select='not(mod(n\\,${every}))'`;
  const options = ["-v", "error", "-i", film, "-vf", chosen, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"];
  const ffmpeg = spawn("ffmpeg", options, { stdio: ["ignore", "pipe", "inherit"] });
  const size = width * height * 3;
  let parts = [], have = 0;
  for await (const part of ffmpeg.stdout) {
    parts.push(part);
    have += part.length;
    if (have >= size) {
      const all = Buffer.concat(parts);
      yield all.subarray(0, size);
      parts = [all.subarray(size)];
      have -= size;
    }
  }
}

const faces = [];
let judged = 0;
for await (const pixels of pictures()) {
  const picture = tf.tensor3d(new Uint8Array(pixels), [height, width, 3], "int32");
  const found = await faceapi.detectAllFaces(picture, new faceapi.SsdMobilenetv1Options()).withFaceLandmarks().withFaceExpressions();
  tf.dispose(picture);
  for (const { expressions } of found) faces.push({ frame: judged * Number(every), emotions: { ...expressions } });
  judged += 1;
}
writeFileSync(out, JSON.stringify({ judged, faces, cuts: [] }));
