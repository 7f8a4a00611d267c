/* Shared by the parts of the flush shim; see README.md beside it for what the whole is for. */
#ifndef OPENMESH_FLUSH_SHIM_H
#define OPENMESH_FLUSH_SHIM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PATH_BYTES 4096

/* Kinds of journal records. journal.ts reads them: change both together. */
enum record_kind {
  RECORD_OPEN = 1,     /* object, number = 1 created | 2 emptied, name */
  RECORD_WRITE = 2,    /* object, number = offset, bytes */
  RECORD_TRUNCATE = 3, /* object, number = new length */
  RECORD_FLUSH_BEGIN = 4, /* object, number = token; for a folder object 0 and its name ("" is the root) */
  RECORD_FLUSH_DONE = 5,  /* object, number = token */
  RECORD_FLUSH_FAILED = 6,
  RECORD_UNLINK = 7, /* name */
  RECORD_RENAME = 8, /* name, other */
  RECORD_MKDIR = 9,
  RECORD_RMDIR = 10,
  RECORD_LINK = 11, /* name, other */
};

/* What the shim knows of a file or folder below the root, found by device and inode. */
struct watched {
  dev_t device;
  ino_t inode;
  int is_folder;
  char *name; /* the name it was last opened under, relative to the root */
  struct watched *next;
};

/* journal.c */
int shim_watching(void);                     /* is a root set? */
int shim_flushing(void);                     /* 0 under FLUSH_SHIM_FLUSH=off */
void shim_lock(void);                        /* one lock: journal order is the order of effects */
void shim_unlock(void);
int shim_relative(int folder_fd, const char *path, char *relative); /* 1 when below the root */
struct watched *shim_find(int fd);           /* the caller holds the lock; NULL when not watched */
void shim_watch(int fd, const char *relative);
void shim_forget(int fd);
void shim_record(enum record_kind kind, uint64_t object, uint64_t number, const char *name, const char *other,
                 const void *bytes, size_t size);
uint64_t shim_token(void);
void shim_abort(const char *why) __attribute__((noreturn));

/* faults.c: what a rule asks for. The caller holds the lock. */
#define FAULT_NONE 0
#define FAULT_SHORT (-1)
int shim_fault(const char *operation, const char *relative); /* FAULT_NONE, FAULT_SHORT, or an errno */
int shim_space(const char *relative, uint64_t *free_bytes);  /* 1 when a rule says how much space is left */

/* The next definition of a function in the search order: libc's own. */
#define REAL(name)                                                                  \
  static __typeof__(&name) real_##name;                                             \
  static __typeof__(&name) next_##name(void) {                                      \
    if (real_##name == NULL) real_##name = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
    if (real_##name == NULL) shim_abort("libc lacks " #name);                       \
    return real_##name;                                                             \
  }

#endif
