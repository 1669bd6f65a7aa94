/*
 * keyval.h - read a configuration file of key=value lines.
 *
 * One setting a line, "key = value"; what follows a # that begins a line or
 * comes after white space is a comment; white space around key and value does
 * not count; a value in double quotes is taken as it stands between them. The
 * reader knows no keys: its caller decides and names what is wrong, the reader
 * puts file and line before it.
 */
#ifndef FED_CORE_KEYVAL_H
#define FED_CORE_KEYVAL_H

#include "src/core/err.h"

/*
 * Takes one setting.
 * IN key, value - never NULL, value may be empty; valid during the call
 * IN line - for settings that are judged later, when all are known
 * OUT err - what is wrong with it, without file and line
 * RET 0, or -1 to stop reading
 */
typedef int (*fed_keyval_f)(void *arg, const char *key, const char *value,
			    unsigned int line, fed_err_t *err);

/*
 * Read a file and call back for each setting, in order.
 * OUT err - "FILE:LINE: what", or that FILE cannot be read
 * RET 0, or -1 on the first error
 */
extern int fed_keyval_read(const char *path, fed_keyval_f setting, void *arg,
			   fed_err_t *err);

#endif
