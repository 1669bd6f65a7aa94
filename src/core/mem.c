/*
 * mem.c - memory that is there (see mem.h).
 */
#include "fed_config.h"

#include "src/core/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/log.h"

static void _out_of_memory(size_t size)
{
	fed_error("out of memory (%zu bytes)", size);
	abort();
}

extern void *fed_calloc(size_t count, size_t size)
{
	void *mem = calloc(count ? count : 1, size ? size : 1);

	if (!mem)
		_out_of_memory(size);
	return mem;
}

extern void *fed_realloc(void *mem, size_t size)
{
	mem = realloc(mem, size ? size : 1);
	if (!mem)
		_out_of_memory(size);
	return mem;
}

extern void *fed_memdup(const void *bytes, size_t len)
{
	char *copy = fed_realloc(NULL, len + 1);

	if (len)
		memcpy(copy, bytes, len);
	copy[len] = 0;
	return copy;
}

extern char *fed_strdup(const char *text)
{
	return text ? fed_memdup(text, strlen(text)) : NULL;
}

extern char *fed_strdup_printf(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		_out_of_memory(0);
	return text;
}
