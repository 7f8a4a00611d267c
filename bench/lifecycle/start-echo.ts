import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { RunningServer } from '../server-under-test.ts';
import { stopper } from '../stop-child.ts';
import type { EchoOrder } from './echo-server.ts';
import type { Answers, Operation } from './operations.ts';

/** Starts the echo server as a child process; rejects when it ends before it listens. */
export async function startEcho(order: EchoOrder): Promise<RunningServer> {
  const child = fork(fileURLToPath(new URL('echo-server.ts', import.meta.url)), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const stop = stopper(child);
  const exited = once(child, 'exit');
  child.send(order);
  const [message] = (await Promise.race([
    once(child, 'message'),
    exited.then(() => Promise.reject(new Error('the echo server ended before it listened'))),
  ])) as [{ readonly port: number }];
  if (child.pid === undefined) throw new Error('the echo server has no process id');
  return {
    pid: child.pid,
    port: message.port,
    stop,
  };
}

const messageId = '20261121053738964468_3A91FC';

/** Answers shaped as the specification's examples, for a run of the echo server alone. */
export function specimenAnswers(): Answers {
  const json = 'content-type: application/vnd.mesh.v2+json';
  const always = 'date: Sat, 21 Nov 2026 05:37:38 GMT\r\nconnection: keep-alive\r\nkeep-alive: timeout=75';
  const answer = (status: string, headers: string, body: string, length = body.length) => ({
    status: Number(status.slice(0, 3)),
    head: `HTTP/1.1 ${status}\r\n${headers}content-length: ${length}\r\n${always}`,
    body,
  });
  const listing = JSON.stringify({
    messages: [messageId],
    links: { self: '/messageexchange/X26B0001/inbox' },
    approx_inbox_count: 1,
  });
  const download = `mex-from: X26A0001
mex-to: X26B0001
mex-workflowid: BENCH_WORKFLOW
mex-chunk-range: 1:1
mex-total-chunks: 1
mex-addresstype: ALL
mex-localid: bench
mex-subject: bench
mex-filename: bench.dat
mex-version: 1.0
mex-messagetype: DATA
mex-messageid: ${messageId}
mex-statuscode: 00
mex-statusevent: TRANSFER
mex-statusdescription: Transferred to recipient mailbox
mex-statussuccess: SUCCESS
mex-statustimestamp: 20261121053738
last-modified: Sat, 21 Nov 2026 05:37:38 GMT
content-type: application/octet-stream
`.replaceAll('\n', '\r\n');
  const byOperation: Record<Operation, ReturnType<typeof answer>> = {
    send: answer('202 Accepted', `${json}\r\n`, JSON.stringify({ message_id: messageId })),
    list: answer('200 OK', `${json}\r\n`, listing),
    download: answer('200 OK', download, ''),
    acknowledge: answer('200 OK', '', ''),
  };
  return { messageId, byOperation };
}
