/*
 * mem.h - memory that is there.
 *
 * As with Slurm's xmalloc in the process that hosts us, running out of memory
 * is the end of the process: no caller has a way to go on that has been
 * tested. What is on disk by then is whole (see ledger.h). Memory from here is
 * given back with free().
 */
#ifndef FED_CORE_MEM_H
#define FED_CORE_MEM_H

#include <stddef.h>

/* RET zeroed memory, never NULL */
extern void *fed_calloc(size_t count, size_t size)
	__attribute__((malloc, returns_nonnull));

/* RET grown or shrunk memory (new bytes are not zeroed), never NULL */
extern void *fed_realloc(void *mem, size_t size)
	__attribute__((returns_nonnull));

/* RET a copy of text, or NULL for NULL */
extern char *fed_strdup(const char *text);

/* RET a copy of len bytes with a NUL after them, never NULL */
extern void *fed_memdup(const void *bytes, size_t len)
	__attribute__((returns_nonnull));

/* RET a formatted string, never NULL */
extern char *fed_strdup_printf(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), returns_nonnull));

#endif
