// The library reads Reflect metadata while it loads, so this import must stay first.
import 'reflect-metadata';

export * from '@peculiar/x509';
