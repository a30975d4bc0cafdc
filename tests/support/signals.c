/* Preloaded: a signal interrupts every other call that opens or reads a file. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <unistd.h>

static _Thread_local unsigned calls;

static int is_interrupted(void) {
    if (calls++ % 2 == 0) {
        errno = EINTR;
        return 1;
    }
    return 0;
}

ssize_t read(int file, void *buffer, size_t size) {
    ssize_t (*next)(int, void *, size_t) = dlsym(RTLD_NEXT, "read");
    return is_interrupted() ? -1 : next(file, buffer, size);
}

ssize_t pread64(int file, void *buffer, size_t size, off64_t offset) {
    ssize_t (*next)(int, void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pread64");
    return is_interrupted() ? -1 : next(file, buffer, size, offset);
}

int open64(const char *path, int flags, ...) {
    int (*next)(const char *, int, ...) = dlsym(RTLD_NEXT, "open64");
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return is_interrupted() ? -1 : next(path, flags, mode);
}
