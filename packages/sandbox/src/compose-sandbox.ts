import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ComposeOptions, Log, Rooms } from '@openmesh/exchange';
import { createLid, underLid } from './close-ledger.ts';
import { loadHooks } from './hooks.ts';
import { loadMessages } from './load-messages.ts';
import { loadRegistry, type RegistryFolders } from './load-registry.ts';
import { type Mirror, openMirror } from './mirror.ts';
import { tellOfMoves } from './tell-of-moves.ts';
import type { SandboxSettings } from './translate-environment.ts';
import { watchLedger } from './watch-ledger.ts';
import { createWebhooks } from './webhooks.ts';

export type SandboxParts = Pick<ComposeOptions, 'aroundLedger' | 'aroundHall' | 'beforeListening' | 'sandboxStore'>;

const cannedFolder = fileURLToPath(new URL('../fixtures/canned', import.meta.url));

/** What the sandbox puts around an exchange, by its store mode. `home` is the folder of its ledger. */
export function composeSandbox(
  settings: Pick<SandboxSettings, 'storeMode' | keyof RegistryFolders>,
  home: string,
): SandboxParts {
  switch (settings.storeMode) {
    case 'file':
      return fileStore(settings, home);
    case 'memory':
      return memoryStore(settings);
    case 'canned':
      return cannedStore(settings);
  }
}

/** Fixtures go in once each; what is accepted is mirrored beside them. */
function fileStore(folders: RegistryFolders, home: string): SandboxParts {
  const { dataFolder } = folders;
  let rooms: Rooms | undefined;
  let mirror: Mirror | undefined;
  return {
    aroundLedger: (ledger) =>
      watchLedger(ledger, {
        changed: async (messageIds) => mirror?.changed(messageIds),
        aged: async () => mirror?.aged(),
      }),
    async beforeListening(built) {
      rooms = built;
      await loadRegistry(rooms, folders);
      const opened = await openMirror({ rooms, dataFolder, indexFile: join(home, 'mirrored') });
      await opened.tidy();
      await loadMessages(rooms, dataFolder, { isOurs: opened.wrote });
      mirror = opened;
    },
    sandboxStore: {
      resettable: true,
      async afterReset(only) {
        if (rooms === undefined || mirror === undefined) return;
        await mirror.tidy();
        await loadRegistry(rooms, folders);
        await loadMessages(rooms, dataFolder, { only, isOurs: mirror.wrote });
      },
    },
  };
}

/** Mailboxes and workflows come from the folders; nothing is written there, and no message is read. */
function memoryStore(folders: RegistryFolders): SandboxParts {
  let rooms: Rooms | undefined;
  return {
    async beforeListening(built) {
      rooms = built;
      await loadRegistry(rooms, folders);
    },
    sandboxStore: {
      resettable: true,
      async afterReset() {
        if (rooms !== undefined) await loadRegistry(rooms, folders);
      },
    },
  };
}

/** The read-only messages of the official sandbox: they go in before the lid is closed. */
function cannedStore(folders: RegistryFolders): SandboxParts {
  const lid = createLid();
  let bodies: Rooms['bodies'] | undefined;
  return {
    aroundLedger: (ledger) => underLid(ledger, lid, async (refs) => bodies?.remove(refs)),
    async beforeListening(rooms) {
      bodies = rooms.bodies;
      await loadRegistry(rooms, folders);
      await loadMessages(rooms, cannedFolder, { isOurs: () => false });
      lid.close();
    },
    sandboxStore: { resettable: false, afterReset: () => Promise.resolve() },
  };
}

/** Those who are told of a message's moves, and what is to be let go of at the end. */
export async function composeHooks(
  settings: Pick<SandboxSettings, 'hooksFile' | 'webhooks' | 'webhooksAnywhere'>,
  log: Log,
): Promise<Pick<ComposeOptions, 'aroundHall'> & { readonly close: () => Promise<void> }> {
  const { hooksFile, webhooks: addresses, webhooksAnywhere: anywhere } = settings;
  const webhooks = addresses.length === 0 ? undefined : createWebhooks(addresses, { anywhere, log });
  const hooks = hooksFile === undefined ? undefined : await loadHooks(hooksFile);
  const listeners = [hooks, webhooks].filter((listener) => listener !== undefined);
  const close = async (): Promise<void> => webhooks?.close();
  if (listeners.length === 0) return { close };
  return { aroundHall: (hall) => tellOfMoves(hall, listeners, log), close };
}
