import { describe, expect, it } from 'vitest';
import { RawConnection } from '../../kit/raw-connection.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

describe('requests that never end', () => {
  it('are answered 408 and cut, in their headers or in their body, and others are served meanwhile', async () => {
    const settings = { OPENMESH_HEADERS_TIMEOUT_SECONDS: '1', OPENMESH_REQUEST_TIMEOUT_SECONDS: '1' };
    await using exchange = await ExchangeInProcess.start({ tls: 'off', settings });
    await using slowHeaders = await RawConnection.open(exchange);
    await slowHeaders.send('GET /messageexchange/_ping HTTP/1.1\r\nhost: x\r\nx-never-');
    await using slowBody = await RawConnection.open(exchange);
    const authorization = exchange.client('X26ABC1').authorization();
    const lines = ['mex-to: X26ABC2', 'mex-workflowid: WF', `authorization: ${authorization}`, 'content-length: 100'];
    await slowBody.send(
      `POST /messageexchange/X26ABC1/outbox HTTP/1.1\r\nhost: x\r\n${lines.join('\r\n')}\r\n\r\nslow`,
    );
    expect((await exchange.client('X26ABC1').count()).status).toBe(200);
    for (const connection of [slowHeaders, slowBody]) {
      const everything = await connection.rest();
      expect(everything).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
      expect(everything).toContain('"errorDescription":"Request Timeout"');
    }
    const records = await exchange.refusals({ reason: 'request-timeout' });
    expect(records).toHaveLength(2);
    expect((await exchange.client('X26ABC2').list()).body.toString()).toContain('"messages":[]');
  });
});
