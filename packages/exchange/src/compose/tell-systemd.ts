import { spawn } from 'node:child_process';

const notifyMs = 5000;

/**
 * Tells systemd that the service is ready or stopping. Node has no datagram sockets of the local kind, which its protocol
 * wants, so systemd's own `systemd-notify` speaks; the unit lets it by `NotifyAccess=all`. Without a socket nothing happens.
 */
export function tellSystemd(state: 'READY=1' | 'STOPPING=1', socket: string | undefined): Promise<void> {
  if (socket === undefined || socket === '') return Promise.resolve();
  return new Promise((resolve) => {
    const child = spawn('systemd-notify', [state], {
      stdio: 'ignore',
      env: { NOTIFY_SOCKET: socket, PATH: '/usr/bin:/bin' },
      timeout: notifyMs,
    });
    // Who cannot be told, waits: systemd says itself that the start timed out.
    child.on('error', () => resolve());
    child.on('close', () => resolve());
  });
}
