/*
 * err.h - an error with its story.
 *
 * A function that can fail for a reason worth telling takes a fed_err_t and
 * returns -1 after filling it. The text says what was tried, on what (job,
 * peer, file) and why it failed (errno or HTTP status), and is fit to be shown
 * to an administrator as it is.
 */
#ifndef FED_CORE_ERR_H
#define FED_CORE_ERR_H

#include <stdarg.h>

#define FED_ERR_TEXT_MAX 512

typedef struct {
	int code;			/* errno value, 0 if none fits */
	char text[FED_ERR_TEXT_MAX];	/* always terminated */
} fed_err_t;

/*
 * Fill err, cutting the text to its size.
 * IN err - may be NULL: then nothing is kept
 * IN code - errno value that fits best, or 0
 * RET -1, so that a caller can "return fed_err_set(...)"
 */
extern int fed_err_set(fed_err_t *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Put "what: " before the text that err holds already.
 * RET -1
 */
extern int fed_err_prefix(fed_err_t *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
