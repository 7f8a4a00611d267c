import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawConnection } from '../../kit/raw-connection.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

const pollMs = 5;

describe.each(['mutual', 'off'] as const)('callers that end in the middle (TLS: %s)', (tls) => {
  let exchange: ExchangeInProcess;
  beforeAll(async () => {
    exchange = await ExchangeInProcess.start({ tls });
  });
  afterAll(() => exchange.stop());

  const sendHead = (more: string, mailbox = 'X26ABC1', version = '1.1'): string =>
    `POST /messageexchange/${mailbox}/outbox HTTP/${version}\r\nhost: x\r\nmex-to: X26ABC2\r\nmex-workflowid: WF\r\n` +
    `authorization: ${exchange.client(mailbox).authorization()}\r\n${more}\r\n`;
  const sized = 'content-length: 7\r\n';

  const openConnections = async (): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${exchange.running.operatorsPort}/metrics`);
    return Number(/^openmesh_connections_open (\d+)$/m.exec(await answer.text())?.[1]);
  };
  const nobodyIsLeft = async (): Promise<void> => {
    await expect.poll(openConnections, { timeout: 60_000, interval: pollMs }).toBe(0);
  };

  const moments: readonly (readonly [string, () => string])[] = [
    ['of a head', () => 'GET /messageexchange/_ping HTT'],
    ['of a body', () => `${sendHead(sized)}pay`],
    ['of a body in chunks', () => `${sendHead('transfer-encoding: chunked\r\n')}5\r\npay`],
    ['of a body of HTTP/1.0', () => `${sendHead(sized, 'X26ABC1', '1.0')}pay`],
    ['of a body that is refused', () => `${sendHead(sized, 'NOBODY9')}pay`],
    ['of a request whose body did not begin', () => sendHead(sized)],
    ['of a request that asked leave to send its body', () => sendHead(`${sized}expect: 100-continue\r\n`)],
  ];

  // Node keeps a connection for ever, and its process alive at its end, that is reset after its end was begun.
  it.each(moments)('lets go of the connection of one that ends its half in the middle %s', async (_moment, bytes) => {
    await using connection = await RawConnection.open(exchange);
    await connection.send(bytes());
    connection.finish();
    expect(await connection.rest()).not.toContain(' 202 ');
    await nobodyIsLeft();
  });

  it.each(moments)('lets go of the connection of one that is gone in the middle %s', async (_moment, bytes) => {
    {
      await using connection = await RawConnection.open(exchange);
      await connection.send(bytes());
    }
    await nobodyIsLeft();
  });
});
