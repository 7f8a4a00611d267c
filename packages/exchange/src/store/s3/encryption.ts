/** Encryption that the store itself is asked for. */
export type ServerSideEncryption =
  | { readonly kind: 'none' }
  | { readonly kind: 'AES256' }
  | { readonly kind: 'aws:kms'; readonly keyId: string | undefined };

/** What each new object is asked for with. */
export function encryptionHeaders(encryption: ServerSideEncryption): Record<string, string> {
  switch (encryption.kind) {
    case 'none':
      return {};
    case 'AES256':
      return { ServerSideEncryption: 'AES256' };
    case 'aws:kms':
      return {
        ServerSideEncryption: 'aws:kms',
        ...(encryption.keyId !== undefined && { SSEKMSKeyId: encryption.keyId }),
      };
  }
}
