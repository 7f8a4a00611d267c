import { choice, file, optionalSetting, secret, setting } from './setting.ts';

/** How callers prove who they are. */
export const tokenSettings = {
  OPENMESH_AUTH_MODE: setting(choice('full', 'none', 'canned'), {
    default: 'full',
    help: 'How much of the token is checked; none and canned only in the sandbox profile.',
  }),
  OPENMESH_SHARED_KEY: optionalSetting(secret(1024), {
    help: 'The key of the token hash, the same for all callers. Either this or the file, unless the ledger keeps it.',
  }),
  OPENMESH_SHARED_KEY_FILE: optionalSetting(file(), {
    help: 'The same in a file, one key a line; two lines make two keys valid at once, for changing over.',
  }),
  OPENMESH_SHARED_KEY_PLACE: setting(choice('settings', 'ledger'), {
    default: 'settings',
    help: 'Where that key is: one of these two settings, or the ledger alone, where the command shared-key keeps it sealed. Keys of the ledger are valid either way.',
  }),
  OPENMESH_NONCE_CHECK: setting(choice('strict', 'off'), {
    default: { live: 'strict', sandbox: 'off' },
    defaultBy: 'wireRules',
    help: 'Whether a token is good for one request only.',
  }),
  OPENMESH_TIMESTAMP_CHECK: setting(choice('on', 'off'), {
    default: { live: 'on', sandbox: 'off' },
    defaultBy: 'wireRules',
    help: "Whether a token's time must be within two hours of ours.",
  }),
  OPENMESH_CERTIFICATE_MATCH: setting(choice('off', 'warn', 'enforce'), {
    default: { live: 'warn', sandbox: 'off' },
    defaultBy: 'wireRules',
    help: "Whether the organisation in the caller's certificate must be the mailbox's own or a delegated one.",
  }),
};
