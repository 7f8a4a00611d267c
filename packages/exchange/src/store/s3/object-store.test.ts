import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { ObjectStore } from './object-store.ts';

it('removes, of a store that takes one name a request, every object it can, and tells of the one it cannot', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url?.split('?')[0]}`);
    request.resume().on('end', () => {
      if (request.method !== 'DELETE') response.writeHead(501).end();
      else if (request.url?.includes('/stuck') !== true) response.writeHead(204).end();
      else response.writeHead(403).end('<Error><Code>AccessDenied</Code><Message>no</Message></Error>');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const objects = new ObjectStore({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'eu-west-2',
    pathStyle: true,
    connectionsMax: 1,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    place: { bucket: 'bucket', prefix: '' },
    encryption: { kind: 'none' },
  });
  try {
    await expect(objects.remove(['stuck', 'one', 'two'])).rejects.toThrow('removing stuck (AccessDenied 403)');
    expect(asked).toEqual(['POST /bucket/', 'DELETE /bucket/stuck', 'DELETE /bucket/one', 'DELETE /bucket/two']);
  } finally {
    objects.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});
