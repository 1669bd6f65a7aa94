/*
 * hostlist.h - many names of nodes in one expression: "n[01-04,07],login".
 */
#ifndef FED_GATEWAY_HOSTLIST_H
#define FED_GATEWAY_HOSTLIST_H

#include <stddef.h>

/*
 * Names that differ only in the number at their end, of the same width, are
 * put together where they follow each other.
 * IN name - gives the name at an index
 * RET malloc'd; "" for no names
 */
extern char *gw_hostlist(const char *(*name)(size_t index, const void *arg),
			 size_t count, const void *arg);

#endif
