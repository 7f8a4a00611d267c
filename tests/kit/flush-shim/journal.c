/* The journal and the register of watched inodes. */
#define _GNU_SOURCE
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

REAL(open)
REAL(writev)

#define BUCKETS 65536u
#define RECORD_MAGIC 0x314a4d4fu /* "OMJ1" */

struct record_header {
  uint32_t magic;
  uint32_t kind;
  uint64_t object;
  uint64_t number;
  uint32_t name_size;
  uint32_t other_size;
  uint64_t bytes_size;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static char root[PATH_BYTES];
static size_t root_size;
static int flushing = 1;
static int journal_fd = -1;
static uint64_t tokens;
static struct watched *buckets[BUCKETS];

void shim_abort(const char *why) {
  dprintf(2, "flush shim: %s\n", why);
  abort();
}

static void start(void) {
  const char *wanted = getenv("FLUSH_SHIM_ROOT");
  if (wanted == NULL) return;
  if (realpath(wanted, root) == NULL) shim_abort("FLUSH_SHIM_ROOT is not a folder");
  root_size = strlen(root);
  const char *flush = getenv("FLUSH_SHIM_FLUSH");
  flushing = flush == NULL || strcmp(flush, "off") != 0;
  const char *journal = getenv("FLUSH_SHIM_JOURNAL");
  if (journal == NULL) return;
  journal_fd = next_open()(journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (journal_fd < 0) shim_abort("FLUSH_SHIM_JOURNAL cannot be opened");
}

int shim_watching(void) {
  pthread_once(&once, start);
  return root_size > 0;
}

int shim_flushing(void) { return flushing; }
/* A handler of a signal reads and writes too, and would wait for the lock that the thread under it holds. */
static __thread sigset_t unblocked;

void shim_lock(void) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_mutex_lock(&lock);
  unblocked = before;
}
void shim_unlock(void) {
  sigset_t after = unblocked;
  pthread_mutex_unlock(&lock);
  pthread_sigmask(SIG_SETMASK, &after, NULL);
}
uint64_t shim_token(void) { return ((uint64_t)getpid() << 32) | ++tokens; }

/* Is an absolute path the root or below it? Gives what follows the root and its slash. */
static int below_root(const char *absolute, char *relative) {
  if (strncmp(absolute, root, root_size) != 0) return 0;
  if (absolute[root_size] == '\0') {
    relative[0] = '\0';
    return 1;
  }
  if (absolute[root_size] != '/') return 0;
  strcpy(relative, absolute + root_size + 1);
  return 1;
}

/* The last part of a path may not exist yet, so only its folder is resolved. */
int shim_relative(int folder_fd, const char *path, char *relative) {
  if (!shim_watching() || path == NULL || strlen(path) >= PATH_BYTES / 2) return 0;
  int saved = errno;
  char whole[PATH_BYTES], folder[PATH_BYTES], absolute[2 * PATH_BYTES];
  if (path[0] == '/' || folder_fd == AT_FDCWD) {
    strcpy(whole, path);
  } else {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder_fd);
    ssize_t size = readlink(link, whole, PATH_BYTES / 2 - 2);
    if (size < 0) { errno = saved; return 0; }
    whole[size] = '/';
    strcpy(whole + size + 1, path);
  }
  size_t size = strlen(whole);
  while (size > 1 && whole[size - 1] == '/') whole[--size] = '\0';
  char *slash = strrchr(whole, '/');
  const char *last = slash == NULL ? whole : slash + 1;
  const char *parent = slash == NULL ? "." : slash == whole ? "/" : whole;
  if (slash != NULL && slash != whole) *slash = '\0';
  int found = 0;
  if (realpath(parent, folder) != NULL) {
    snprintf(absolute, sizeof absolute, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, last);
    found = below_root(absolute, relative);
  }
  errno = saved;
  return found;
}

static struct watched **slot(dev_t device, ino_t inode) {
  struct watched **at = &buckets[(inode * 2654435761u) % BUCKETS];
  while (*at != NULL && ((*at)->inode != inode || (*at)->device != device)) at = &(*at)->next;
  return at;
}

struct watched *shim_find(int fd) {
  struct stat stat;
  if (fstat(fd, &stat) != 0 || (!S_ISREG(stat.st_mode) && !S_ISDIR(stat.st_mode))) return NULL;
  return *slot(stat.st_dev, stat.st_ino);
}

void shim_watch(int fd, const char *relative) {
  struct stat stat;
  if (fstat(fd, &stat) != 0 || (!S_ISREG(stat.st_mode) && !S_ISDIR(stat.st_mode))) return;
  struct watched **at = slot(stat.st_dev, stat.st_ino);
  if (*at == NULL) {
    *at = calloc(1, sizeof **at);
    if (*at == NULL) shim_abort("out of memory");
    (*at)->device = stat.st_dev;
    (*at)->inode = stat.st_ino;
  }
  free((*at)->name);
  (*at)->name = strdup(relative);
  (*at)->is_folder = S_ISDIR(stat.st_mode);
}

/* An inode number freed below the root may come back as a file elsewhere. */
void shim_forget(int fd) {
  struct stat stat;
  if (fstat(fd, &stat) != 0) return;
  struct watched **at = slot(stat.st_dev, stat.st_ino);
  if (*at == NULL) return;
  struct watched *gone = *at;
  *at = gone->next;
  free(gone->name);
  free(gone);
}

void shim_record(enum record_kind kind, uint64_t object, uint64_t number, const char *name, const char *other,
                 const void *bytes, size_t size) {
  if (journal_fd < 0) return;
  int saved = errno;
  struct record_header header = {RECORD_MAGIC, kind, object, number, name == NULL ? 0 : (uint32_t)strlen(name),
                                 other == NULL ? 0 : (uint32_t)strlen(other), size};
  struct iovec parts[4] = {{&header, sizeof header},
                           {(void *)name, header.name_size},
                           {(void *)other, header.other_size},
                           {(void *)bytes, size}};
  size_t whole = sizeof header + header.name_size + header.other_size + size;
  /* A journal with a hole would make a test pass that should fail: better no process at all. */
  if (next_writev()(journal_fd, parts, 4) != (ssize_t)whole) shim_abort("the journal could not be written");
  errno = saved;
}
