/*
 * key_file.h - reading a secret that nobody else may read.
 */
#ifndef FED_FLURM_KEY_FILE_H
#define FED_FLURM_KEY_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "src/core/err.h"

/*
 * Read a regular file (not a link) that is owned by root or us and closed to
 * group and others. If all of it is text, a newline at its end does not count.
 * RET malloc'd: overwrite it before it is freed; NULL: err names the file and
 * what is wrong with it
 */
extern uint8_t *key_file_read(const char *path, size_t min, size_t max,
			      size_t *ret_len, fed_err_t *err);

#endif
