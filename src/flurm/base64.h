/*
 * base64.h - bytes as text (RFC 4648, with padding, no line breaks).
 */
#ifndef FED_FLURM_BASE64_H
#define FED_FLURM_BASE64_H

#include <stddef.h>

/* RET malloc'd and terminated, never NULL */
extern char *flurm_base64_encode(const void *data, size_t len);

/*
 * Strict: no other character, right padding, no stray bits.
 * OUT ret_len - bytes decoded
 * RET malloc'd, with a NUL behind it that ret_len does not count; NULL if it
 * is not base64
 */
extern void *flurm_base64_decode(const char *text, size_t len, size_t *ret_len);

#endif
