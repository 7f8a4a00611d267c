/* Ways to change a file that leave no bytes to write down. Nothing of ours uses them: whoever does is stopped loudly. */
#define _GNU_SOURCE
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

REAL(mmap)
REAL(sendfile)
REAL(syscall)
REAL(ioctl)

/* SQLite shares its -shm index between connections by a mapping; it is made anew after a cut. */
static int is_index(const char *name) {
  size_t size = strlen(name);
  return size >= 4 && strcmp(name + size - 4, "-shm") == 0;
}

static void stop_if_watched(int fd, const char *why) {
  if (fd < 0 || !shim_watching()) return;
  shim_lock();
  struct watched *watched = shim_find(fd);
  if (watched != NULL && !watched->is_folder && !is_index(watched->name)) shim_abort(why);
  shim_unlock();
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset) {
  int shared = (flags & MAP_TYPE) != MAP_PRIVATE && (protection & PROT_WRITE) != 0;
  if (shared) stop_if_watched(fd, "a file is written through a shared mapping");
  return next_mmap()(address, size, protection, flags, fd, offset);
}
void *mmap64(void *address, size_t size, int protection, int flags, int fd, off_t offset) {
  return mmap(address, size, protection, flags, fd, offset);
}

ssize_t sendfile(int to, int from, off_t *offset, size_t count) {
  stop_if_watched(to, "a file is filled by sendfile");
  return next_sendfile()(to, from, offset, count);
}
ssize_t sendfile64(int to, int from, off64_t *offset, size_t count) { return sendfile(to, from, offset, count); }

int ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  if (request == FICLONE || request == FICLONERANGE) stop_if_watched(fd, "a file is cloned");
  return next_ioctl()(fd, request, argument);
}

long syscall(long number, ...) {
  va_list arguments;
  va_start(arguments, number);
  long words[6];
  for (int at = 0; at < 6; at++) words[at] = va_arg(arguments, long);
  va_end(arguments);
  if (number == SYS_copy_file_range) stop_if_watched((int)words[2], "a file is filled by copy_file_range");
  if (number == SYS_io_uring_setup && shim_watching()) {
    /* As an old kernel would: libuv then uses calls that can be seen. */
    errno = ENOSYS;
    return -1;
  }
  return next_syscall()(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}
