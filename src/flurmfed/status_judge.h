/*
 * status_judge.h - what is wrong, according to a status.
 *
 * The status is what the controllers say of themselves (status_ask.h). A part
 * of it that is not there is not judged, so that an older or newer release's
 * can be looked at.
 */
#ifndef FED_FLURMFED_STATUS_JUDGE_H
#define FED_FLURMFED_STATUS_JUDGE_H

#include <jansson.h>

/* RET array of strings, one a problem, a new reference; empty: all is well */
extern json_t *status_judge(const json_t *status);

/* Values of an object; something harmless if they are not there */
extern const char *status_str(const json_t *object, const char *key);
extern long long status_int(const json_t *object, const char *key);

#endif
