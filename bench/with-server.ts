import type { RunningServer } from './server-under-test.ts';

/** Runs `work` with a server and stops it whatever happens. */
export async function withServer<Result>(
  starting: Promise<RunningServer>,
  work: (server: RunningServer) => Promise<Result>,
): Promise<Result> {
  const server = await starting;
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}
