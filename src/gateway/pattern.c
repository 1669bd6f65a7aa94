/*
 * pattern.c - Slurm's file name patterns (see pattern.h).
 *
 * The rules, odd ones included, are those of slurmd's fname.c for a batch
 * script, so that a script finds its output where it would on a native
 * cluster. Nothing here opens a file: the path is opened later by the job's
 * user, who may name any file he can write.
 */
#include "src/gateway/pattern.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WIDTH 10
#define NO_ARRAY_TASK 0xfffffffeu	/* Slurm's NO_VAL */

typedef struct {
	char text[PATH_MAX];
	size_t len;
	bool full;
} path_buf_t;

static void _put(path_buf_t *path, const char *text, size_t len)
{
	if (path->len + len >= sizeof(path->text)) {
		path->full = true;
		return;
	}
	memcpy(path->text + path->len, text, len);
	path->len += len;
	path->text[path->len] = 0;
}

static void _put_text(path_buf_t *path, const char *text)
{
	_put(path, text ? text : "", text ? strlen(text) : 0);
}

static void _put_number(path_buf_t *path, uint32_t number, int width)
{
	char digits[MAX_WIDTH + 2];
	int len = snprintf(digits, sizeof(digits), "%0*u", width, number);

	_put(path, digits, len);
}

/* RET false if there is no such conversion */
static bool _convert(path_buf_t *path, char conversion, int width,
		     const gw_pattern_vars_t *vars)
{
	switch (conversion) {
	case 'a':
		_put_number(path, vars->array_job_id ? vars->array_task_id :
			    NO_ARRAY_TASK, width);
		return true;
	case 'A':
		_put_number(path, vars->array_job_id ? vars->array_job_id :
			    vars->job_id, width);
		return true;
	case 'j':
	case 'J':
		_put_number(path, vars->job_id, width);
		return true;
	case 'n':
	case 't':
		_put_number(path, 0, width);
		return true;
	case 'N':
		_put_text(path, vars->node);
		return true;
	case 's':
		_put_text(path, "batch");
		return true;
	case 'u':
		_put_text(path, vars->user);
		return true;
	case 'x':
		_put_text(path, vars->job_name);
		return true;
	default:
		return false;
	}
}

/* RET what follows the conversion that begins at p, which is a '%' */
static const char *_expand_one(path_buf_t *path, const char *p,
			       const gw_pattern_vars_t *vars)
{
	const char *begin = p++;
	int width = 0;

	if (*p == '%') {
		_put(path, p, 1);
		return p + 1;
	}
	for (; isdigit((unsigned char) *p); p++)
		if ((width = width * 10 + (*p - '0')) > MAX_WIDTH)
			width = MAX_WIDTH;
	if (*p && _convert(path, *p, width, vars))
		return p + 1;
	_put(path, begin, p - begin);
	return p;
}

/* A backslash takes the next character as it is, which may be a backslash. */
static void _put_escaped(path_buf_t *path, const char *format)
{
	for (; *format; format++) {
		if ((*format == '\\') && (*++format != '\\')) {
			format--;
			continue;
		}
		_put(path, format, 1);
	}
}

extern int gw_pattern_expand(const char *format, const char *work_dir,
			     const gw_pattern_vars_t *vars, char **ret_path,
			     fed_err_t *err)
{
	path_buf_t path = { .len = 0 };

	if (format[0] != '/') {
		_put_text(&path, work_dir);
		if (!path.len || (path.text[path.len - 1] != '/'))
			_put(&path, "/", 1);
	}
	if (strchr(format, '\\')) {
		_put_escaped(&path, format);
	} else {
		while (*format) {
			size_t plain = strcspn(format, "%");

			_put(&path, format, plain);
			format += plain;
			if (*format)
				format = _expand_one(&path, format, vars);
		}
	}
	if (path.full)
		return fed_err_set(err, ENAMETOOLONG, "file name too long");
	if (!(*ret_path = strdup(path.text)))
		return fed_err_set(err, ENOMEM, "out of memory");
	return 0;
}
