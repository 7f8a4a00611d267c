import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that Linux gives to whoever asks for any, or connects: those may be taken by the time one is used. */
const [lowest, highest] = [15_000, 32_000] as const;
const attemptsMax = 100;
const given = new Set<number>();

/** A port of the loopback address that nobody listens on, and that nobody is given but who asks for it by its number. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (given.has(port) || !(await canListen(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`found no free port in ${attemptsMax} attempts`);
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer();
  try {
    // Rejects with what the server reports instead.
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
