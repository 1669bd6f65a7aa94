/*
 * status_ask.h - ask the controllers at their status socket.
 */
#ifndef FED_FLURMFED_STATUS_ASK_H
#define FED_FLURMFED_STATUS_ASK_H

#include <jansson.h>

#include "src/core/err.h"

/*
 * IN path - of the socket (StatusSocket of fed_flurm.conf)
 * RET what they said, an object, a new reference; NULL with err
 */
extern json_t *status_ask(const char *path, fed_err_t *err);

#endif
