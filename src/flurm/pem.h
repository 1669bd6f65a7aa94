/*
 * pem.h - the files of TLS, read into memory.
 */
#ifndef FED_FLURM_PEM_H
#define FED_FLURM_PEM_H

#include "src/core/err.h"

typedef struct {
	char *cert;
	char *key;
	char *ca;		/* NULL: none */
} pem_t;

/*
 * Read them. A key that everyone may read is refused.
 * IN ca_file - NULL: none
 * OUT ret_pem - for pem_free(), also after a failure
 * RET 0, or -1: err names the file
 */
extern int pem_read(pem_t *ret_pem, const char *cert_file,
		    const char *key_file, const char *ca_file, fed_err_t *err);

/* The key is overwritten. */
extern void pem_free(pem_t *pem);

#endif
