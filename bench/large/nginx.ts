import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CredentialFiles } from '../certificates.ts';
import type { RunningServer } from '../server-under-test.ts';
import { stopper } from '../stop-child.ts';

const readyWithinMs = 10_000;
const readyPollMs = 50;

/**
 * Starts Debian's nginx in one process, with its own prefix, as a store of files by PUT and GET over mutual TLS. All
 * that is not needed for that is left at nginx's defaults. Rejects with a sentence when nginx is missing or ends early.
 */
export async function startNginx(directory: string, credentials: CredentialFiles): Promise<RunningServer> {
  const prefix = join(directory, 'nginx');
  // The temporary bodies lie beside the files, so that finishing a PUT is a rename and not a copy.
  for (const name of ['files', 'temporary']) mkdirSync(join(prefix, name), { recursive: true });
  const port = await freePort();
  writeFileSync(join(prefix, 'nginx.conf'), configuration(port, credentials));
  const child = spawn('nginx', ['-p', prefix, '-c', 'nginx.conf', '-e', 'stderr'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const stop = stopper(child);
  const ended = new Promise<never>((_resolve, reject) => {
    child.once('error', () => reject(new Error('nginx could not be started: apt-get install nginx-light')));
    child.once('exit', (code) => reject(new Error(`nginx ended with status ${code}`)));
  });
  ended.catch(() => {});
  await Promise.race([listening(port), ended]);
  if (child.pid === undefined) throw new Error('nginx has no process id');
  return {
    pid: child.pid,
    port,
    stop,
  };
}

function configuration(port: number, credentials: CredentialFiles): string {
  const unused = ['proxy', 'fastcgi', 'uwsgi', 'scgi'].map((module) => `${module}_temp_path temporary;`);
  return `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off;
  sendfile on;
  keepalive_requests 1000000;
  client_max_body_size 0;
  client_body_temp_path temporary;
  ${unused.join(' ')}
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${credentials.serverCert};
    ssl_certificate_key ${credentials.serverKey};
    ssl_client_certificate ${credentials.ca};
    ssl_verify_client on;
    ssl_protocols TLSv1.3;
    root files;
    location / { dav_methods PUT; }
  }
}
`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

async function listening(port: number): Promise<void> {
  const deadline = Date.now() + readyWithinMs;
  while (Date.now() < deadline) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (open) return;
    await sleep(readyPollMs);
  }
  throw new Error(`nginx did not listen within ${readyWithinMs} ms`);
}
