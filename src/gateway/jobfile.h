/*
 * jobfile.h - the small files of a job's directory.
 *
 * Each is a list of "key=value" strings, every one ended by a NUL, so that any
 * path can be in it.
 */
#ifndef FED_GATEWAY_JOBFILE_H
#define FED_GATEWAY_JOBFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "src/core/err.h"

/* a member of a struct that goes into such a file */
typedef struct {
	const char *key;
	size_t offset;
	enum { GW_JOBFILE_TEXT, GW_JOBFILE_NUMBER } type;
} gw_jobfile_field_t;

/* Write a file anew. RET 0 or -1 */
extern int gw_jobfile_write(int dirfd, const char *name, const void *data,
			    size_t len, mode_t mode, bool sync,
			    fed_err_t *err);

/* Make a file appear whole, and stay: written, synced, renamed, synced. */
extern int gw_jobfile_publish(int dirfd, const char *name, const void *data,
			      size_t len, fed_err_t *err);

/*
 * OUT ret_data - malloc'd, with a NUL after it
 * RET 1, 0 if there is no such file, -1
 */
extern int gw_jobfile_read(int dirfd, const char *name, char **ret_data,
			   size_t *ret_len, fed_err_t *err);

/* IN fields - ends with key NULL; a text that is NULL is left out */
extern void gw_jobfile_print(FILE *file, const gw_jobfile_field_t *fields,
			     const void *object);

/*
 * Put a value where its key says; a text is malloc'd.
 * RET 1, 0 if no field has this key, -1 without memory
 */
extern int gw_jobfile_take(const gw_jobfile_field_t *fields, void *object,
			   const char *key, const char *value);

/*
 * The next "key=value" of what was read, cut in place.
 * RET the key, or NULL at the end
 */
extern char *gw_jobfile_next(char **cursor, const char *end, char **ret_value);

#endif
