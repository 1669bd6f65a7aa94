/*
 * scratch.h - a directory of a test's own, and files as bytes.
 */
#ifndef FED_UNIT_SCRATCH_H
#define FED_UNIT_SCRATCH_H

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* RET path of a new empty directory; scratch_remove() frees it */
static inline char *scratch_make(void)
{
	const char *tmp = getenv("TMPDIR");
	char *path = NULL;

	assert_true(asprintf(&path, "%s/fed-unit-XXXXXX",
			     tmp ? tmp : "/tmp") > 0);
	assert_non_null(mkdtemp(path));
	return path;
}

/* Remove the files of a directory (it has no directories), and itself. */
static inline void scratch_clear(const char *path)
{
	DIR *list = opendir(path);
	struct dirent *entry;

	if (!list)
		return;
	while ((entry = readdir(list)))
		unlinkat(dirfd(list), entry->d_name, 0);
	closedir(list);
	rmdir(path);
}

static inline void scratch_remove(char *path)
{
	scratch_clear(path);
	free(path);
}

static inline int scratch_remove_one_(const char *path, const struct stat *st,
				      int type, struct FTW *ftw)
{
	return remove(path);
}

/* Remove it with all that is below, and free its name. */
static inline void scratch_remove_tree(char *path)
{
	(void) nftw(path, scratch_remove_one_, 10, FTW_DEPTH | FTW_PHYS);
	free(path);
}

/* RET the file's bytes, to be freed */
static inline uint8_t *scratch_read(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "re");
	struct stat st;
	uint8_t *data;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	data = malloc(st.st_size + 1);
	assert_int_equal(fread(data, 1, st.st_size, file), st.st_size);
	fclose(file);
	*ret_len = st.st_size;
	return data;
}

static inline void scratch_write(const char *path, const void *data,
				 size_t len)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

#endif
