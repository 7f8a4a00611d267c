import { watchFile } from 'node:fs';
import { connect, optionsOf } from './connect.ts';

await using client = connect('X26ABC1');
const renew = (): void => client.renewTls(optionsOf('X26ABC1').tls ?? {});

// When somebody puts another certificate into the place of the old one, the next request shows it.
watchFile('client.pem', { persistent: false }, renew);
await client.handshake();

// Here by hand.
renew();
await client.handshake();
console.log('still good, under the certificates as they are now');
