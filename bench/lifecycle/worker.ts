import type { OnReadOpts } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { parentPort, workerData } from 'node:worker_threads';
import { smallBodyPattern } from '../payload.ts';
import { TokenMaker } from '../token.ts';
import { Lane } from './lane.ts';
import { LaneRequests } from './lane-requests.ts';
import { figuresPerSample, phases, type WorkerOrder, type WorkerReport } from './operations.ts';

/** A thread of the load generator: opens its connections, makes its tokens, says it is ready, and runs when told. */
const order = workerData as WorkerOrder;
const phase = new Int32Array(order.phase);
const readBufferBytes = 64 * 1024;

function say(report: WorkerReport): void {
  parentPort?.postMessage(report, report.kind === 'done' ? [report.samples.buffer] : []);
}

function fail(error: Error): void {
  say({ kind: 'failed', message: error.message });
}

function open(lane: Lane, port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const options: ConnectionOptions & { readonly onread: OnReadOpts } = {
      host: '127.0.0.1',
      port,
      servername: 'localhost',
      ca: order.ca,
      cert: order.clientCert,
      key: order.clientKey,
      minVersion: 'TLSv1.3',
      onread: {
        // One buffer for each connection, handed back on return: no allocation for an answer.
        buffer: Buffer.allocUnsafeSlow(readBufferBytes),
        callback: (length, bytes) => {
          lane.push(bytes as Buffer, length);
          return true;
        },
      },
    };
    const socket = connect(options);
    socket.setNoDelay(true);
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the server closed a connection')));
  });
}

async function main(): Promise<void> {
  const samples: number[] = [];
  const lanes: Lane[] = [];
  const sockets: TLSSocket[] = [];
  let active = 0;

  const stopped = (lane: Lane): void => {
    const answers = lane.answers;
    if (lane === lanes[0] && answers !== undefined) say({ kind: 'answers', answers });
    active -= 1;
    if (active > 0) return;
    for (const socket of sockets) {
      socket.removeAllListeners('close');
      socket.destroy();
    }
    const tokensMadeLate = lanes.reduce((sum, each) => sum + each.tokensMadeLate, 0);
    say({ kind: 'done', samples: Float64Array.from(samples), tokensMadeLate });
  };

  const finished = (lane: Lane, times: Float64Array): boolean => {
    const now = Atomics.load(phase, 0);
    if (now === phases.measure) {
      samples.push((times[figuresPerSample - 1] ?? 0) - (times[0] ?? 0));
      for (let step = 1; step < figuresPerSample; step += 1) samples.push((times[step] ?? 0) - (times[step - 1] ?? 0));
    }
    if (now !== phases.stop) return true;
    stopped(lane);
    return false;
  };

  const tokens = new TokenMaker(order.sharedKey, Date.now());
  const pattern = smallBodyPattern();
  for (const [laneNumber, pairs] of order.lanes.entries()) {
    const requests = new LaneRequests({ ...order, laneNumber, pairs, tokens, pattern });
    const lane = new Lane({ requests, checkStamp: order.checkStamp, finished, failed: fail });
    const port = order.ports[laneNumber % order.ports.length];
    if (port === undefined) throw new Error('the order names no port');
    const socket = await open(lane, port);
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('the server closed a connection')));
    lanes.push(lane);
    sockets.push(socket);
  }
  parentPort?.once('message', () => {
    active = lanes.length;
    for (const [index, lane] of lanes.entries()) {
      const socket = sockets[index];
      if (socket !== undefined) lane.start(socket);
    }
  });
  say({ kind: 'ready', cipher: sockets[0]?.getCipher().name ?? '' });
}

main().catch((error: unknown) => fail(error instanceof Error ? error : new Error(String(error))));
