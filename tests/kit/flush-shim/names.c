/* The libc calls that change names below the root, and the one that says how much space is left. */
#define _GNU_SOURCE
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

REAL(renameat)
REAL(renameat2)
REAL(unlinkat)
REAL(mkdirat)
REAL(linkat)
REAL(symlinkat)
REAL(truncate)
REAL(statfs)

/* Runs `call` under the lock unless a rule fails it; `record` runs after success. A statement expression of GNU C. */
#define NAMED(operation, name, call, record)             \
  ({                                                     \
    shim_lock();                                         \
    int fault = shim_fault(operation, name), result = -1; \
    if (fault > 0) errno = fault;                        \
    else result = (call);                                \
    if (result == 0) { record; }                         \
    shim_unlock();                                       \
    result;                                              \
  })

static int rename_watched(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
  char old_name[PATH_BYTES], new_name[PATH_BYTES];
  int leaves = shim_relative(from_folder, from, old_name), arrives = shim_relative(to_folder, to, new_name);
  if (!leaves && !arrives) return next_renameat2()(from_folder, from, to_folder, to, flags);
  if (!leaves || !arrives || flags != 0) shim_abort("a rename across the root, or with flags, is not modelled");
  return NAMED("rename", new_name, next_renameat()(from_folder, from, to_folder, to),
               shim_record(RECORD_RENAME, 0, 0, old_name, new_name, NULL, 0));
}
int rename(const char *from, const char *to) { return rename_watched(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
  return rename_watched(from_folder, from, to_folder, to, 0);
}
int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
  return rename_watched(from_folder, from, to_folder, to, flags);
}

int unlinkat(int folder, const char *path, int flags) {
  char name[PATH_BYTES];
  if (!shim_relative(folder, path, name)) return next_unlinkat()(folder, path, flags);
  enum record_kind kind = (flags & AT_REMOVEDIR) ? RECORD_RMDIR : RECORD_UNLINK;
  return NAMED("unlink", name, next_unlinkat()(folder, path, flags), shim_record(kind, 0, 0, name, NULL, NULL, 0));
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char *path) {
  int result = unlink(path);
  return result != 0 && (errno == EISDIR || errno == EPERM) ? rmdir(path) : result;
}

int mkdirat(int folder, const char *path, mode_t mode) {
  char name[PATH_BYTES];
  if (!shim_relative(folder, path, name)) return next_mkdirat()(folder, path, mode);
  return NAMED("mkdir", name, next_mkdirat()(folder, path, mode), shim_record(RECORD_MKDIR, 0, 0, name, NULL, NULL, 0));
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
  char old_name[PATH_BYTES], new_name[PATH_BYTES];
  if (!shim_relative(to_folder, to, new_name)) return next_linkat()(from_folder, from, to_folder, to, flags);
  if (!shim_relative(from_folder, from, old_name)) shim_abort("a link from outside the root is not modelled");
  return NAMED("create", new_name, next_linkat()(from_folder, from, to_folder, to, flags),
               shim_record(RECORD_LINK, 0, 0, old_name, new_name, NULL, 0));
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int symlinkat(const char *target, int folder, const char *path) {
  char name[PATH_BYTES];
  if (shim_relative(folder, path, name)) shim_abort("a symbolic link below the root is not modelled");
  return next_symlinkat()(target, folder, path);
}
int symlink(const char *target, const char *path) { return symlinkat(target, AT_FDCWD, path); }

int truncate(const char *path, off_t length) {
  char name[PATH_BYTES];
  if (shim_relative(AT_FDCWD, path, name)) shim_abort("truncating by name below the root is not modelled");
  return next_truncate()(path, length);
}
int truncate64(const char *path, off64_t length) { return truncate(path, length); }

int statfs(const char *path, struct statfs *answer) {
  int result = next_statfs()(path, answer);
  char name[PATH_BYTES];
  if (result != 0 || !shim_relative(AT_FDCWD, path, name)) return result;
  uint64_t left;
  shim_lock();
  if (shim_space(name, &left)) answer->f_bavail = answer->f_bfree = left / (uint64_t)answer->f_bsize;
  shim_unlock();
  return 0;
}
int statfs64(const char *path, struct statfs64 *answer) { return statfs(path, (struct statfs *)answer); }
