/*
 * pem.c - the files of TLS, read into memory (see pem.h).
 */
#include "src/flurm/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/core/mem.h"

#define PEM_MAX (4 << 20)	/* a bundle of all the world's CAs is 0.2 MiB */

static char *_read_fd(int fd, const char *file, mode_t forbidden,
		      fed_err_t *err)
{
	struct stat st;
	char *text;
	size_t len = 0;

	if (fstat(fd, &st) < 0) {
		fed_err_set(err, errno, "%s: %s", file, strerror(errno));
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || (st.st_size > PEM_MAX)) {
		fed_err_set(err, EINVAL, "%s: not a PEM file", file);
		return NULL;
	}
	if (st.st_mode & forbidden) {
		fed_err_set(err, EPERM, "%s: a private key that others may "
			    "read (mode %04o)", file, st.st_mode & 07777);
		return NULL;
	}
	text = fed_calloc(1, st.st_size + 1);
	while (len < (size_t) st.st_size) {
		ssize_t got = read(fd, text + len, st.st_size - len);

		if ((got < 0) && (errno == EINTR))
			continue;
		if (got <= 0)
			break;
		len += got;
	}
	return text;
}

static char *_read(const char *file, mode_t forbidden, fed_err_t *err)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *text;

	if (fd < 0) {
		fed_err_set(err, errno, "%s: %s", file, strerror(errno));
		return NULL;
	}
	text = _read_fd(fd, file, forbidden, err);
	close(fd);
	return text;
}

extern int pem_read(pem_t *ret_pem, const char *cert_file,
		    const char *key_file, const char *ca_file, fed_err_t *err)
{
	*ret_pem = (pem_t) { 0 };
	ret_pem->cert = _read(cert_file, 0, err);
	if (!ret_pem->cert)
		return -1;
	ret_pem->key = _read(key_file, S_IRWXO, err);
	if (!ret_pem->key)
		return -1;
	if (!ca_file)
		return 0;
	ret_pem->ca = _read(ca_file, 0, err);
	return ret_pem->ca ? 0 : -1;
}

extern void pem_free(pem_t *pem)
{
	free(pem->cert);
	if (pem->key)
		explicit_bzero(pem->key, strlen(pem->key));
	free(pem->key);
	free(pem->ca);
	*pem = (pem_t) { 0 };
}
