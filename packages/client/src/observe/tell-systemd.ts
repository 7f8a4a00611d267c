import { spawn } from 'node:child_process';

/**
 * Tells systemd that the service is ready, alive or stopping. Node has no datagram sockets of the local kind, which its
 * protocol wants, so systemd's own `systemd-notify` speaks; the unit lets it by `NotifyAccess=all`. Without a NOTIFY_SOCKET
 * nothing happens.
 */
export function tellSystemd(state: 'READY=1' | 'STOPPING=1' | 'WATCHDOG=1', socket: string | undefined): Promise<void> {
  if (socket === undefined || socket === '') return Promise.resolve();
  return new Promise((resolve) => {
    const child = spawn('systemd-notify', [`--pid=${process.pid}`, state], {
      stdio: 'ignore',
      env: { NOTIFY_SOCKET: socket, PATH: '/usr/bin:/bin' },
      timeout: notifyMs,
    });
    // Who cannot be told, waits: systemd says itself that the start timed out.
    child.on('error', () => resolve());
    child.on('close', () => resolve());
  });
}

const notifyMs = 5000;
