/*
 * keyval.c - read a configuration file of key=value lines (see keyval.h).
 *
 * A line is taken apart in place. Nothing is guessed: a line that is neither
 * empty, nor a comment, nor a setting is an error, and so is a key without a
 * name, a quote that never closes, or a NUL byte (a file that is not text).
 */
#include "src/core/keyval.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *_skip_space(char *s)
{
	while (isspace((unsigned char) *s))
		s++;
	return s;
}

static void _trim_end(char *s)
{
	size_t len = strlen(s);

	while (len && isspace((unsigned char) s[len - 1]))
		len--;
	s[len] = 0;
}

/* Cut a comment: '#' at the start or after white space, outside quotes. */
static void _cut_comment(char *s)
{
	bool quoted = false;

	for (char *p = s; *p; p++) {
		if (*p == '"')
			quoted = !quoted;
		else if ((*p == '#') && !quoted &&
			 ((p == s) || isspace((unsigned char) p[-1]))) {
			*p = 0;
			return;
		}
	}
}

/* RET 1 with key and value, 0 for a line that says nothing, -1 */
static int _split(char *line, char **key, char **value, fed_err_t *err)
{
	char *equals;
	size_t len;

	_cut_comment(line);
	line = _skip_space(line);
	_trim_end(line);
	if (!*line)
		return 0;
	if (!(equals = strchr(line, '=')))
		return fed_err_set(err, EINVAL, "\"%s\" is not key=value",
				   line);
	*equals = 0;
	_trim_end(line);
	if (!*line)
		return fed_err_set(err, EINVAL, "no key before =");
	*key = line;
	*value = _skip_space(equals + 1);
	if (**value != '"')
		return 1;
	len = strlen(*value);
	if ((len < 2) || (strchr(*value + 1, '"') != *value + len - 1))
		return fed_err_set(err, EINVAL, "%s: unbalanced quotes", *key);
	(*value)[len - 1] = 0;
	(*value)++;
	return 1;
}

static int _read_lines(FILE *file, const char *path, fed_keyval_f setting,
		       void *arg, fed_err_t *err)
{
	char *buf = NULL, *key = NULL, *value = NULL;
	unsigned int line = 0;
	size_t size = 0;
	ssize_t len;
	int rc = 0;

	while (!rc && ((len = getline(&buf, &size, file)) >= 0)) {
		line++;
		if (memchr(buf, 0, len))
			rc = fed_err_set(err, EINVAL, "not a text file");
		else if ((rc = _split(buf, &key, &value, err)) > 0)
			rc = setting(arg, key, value, line, err);
		if (rc < 0)
			fed_err_prefix(err, "%s:%u", path, line);
	}
	free(buf);
	if (!rc && ferror(file))
		rc = fed_err_set(err, errno, "read %s: %s", path,
				 strerror(errno));
	return rc < 0 ? -1 : 0;
}

extern int fed_keyval_read(const char *path, fed_keyval_f setting, void *arg,
			   fed_err_t *err)
{
	FILE *file;
	int rc;

	if (!(file = fopen(path, "re")))
		return fed_err_set(err, errno, "open %s: %s", path,
				   strerror(errno));
	rc = _read_lines(file, path, setting, arg, err);
	fclose(file);
	return rc;
}
