/*
 * plugin_symbols_test.c - what the plugin brings into slurmctld and what it
 * wants from there, and the reader of its file.
 *
 * That src/sibling wants nothing of slurmctld itself is shown by the link of
 * this program: it has all of libfedsibling, and nothing else of Slurm but
 * libslurmfull.
 */
#include "testsuite/unit/slurm_unit.h"

#include "src/slurmctld/slurmctld.h"

#include <dlfcn.h>

#include "src/flurmfed/plugin_file.h"

#define PLUGIN "src/plugins/fed_flurm/.libs/job_submit_fed_flurm.so"

/* Slurm looks these up (common/plugin.c, slurmctld/job_submit.c). */
static const char *const wanted[] = {
	"fini", "init", "job_modify", "job_submit", "plugin_name",
	"plugin_type", "plugin_version",
};
#define WANTED (sizeof(wanted) / sizeof(wanted[0]))

/*
 * What the plugin may want of slurmctld itself, here for it to be loaded. A
 * symbol that is missing here is one that src/plugins/fed_flurm began to use:
 * add it if it has to be, and if all supported releases have it.
 */
time_t control_time;
slurmctld_config_t slurmctld_config;
void *acct_db_conn;

typedef struct {
	int seen[WANTED];
} seen_t;

static void _look(void *arg, const char *name, bool defined)
{
	seen_t *seen = arg;

	if (!defined || !strncmp(name, "__asan", 6) ||
	    !strncmp(name, "__odr_asan", 10))
		return;
	for (size_t i = 0; i < WANTED; i++) {
		if (!strcmp(wanted[i], name)) {
			seen->seen[i]++;
			return;
		}
	}
	fail_msg("exports %s", name);
}

static void _exports(void **state)
{
	seen_t seen = { 0 };
	fed_err_t err;

	if (plugin_file_symbols(PLUGIN, _look, &seen, &err))
		fail_msg("%s", err.text);
	for (size_t i = 0; i < WANTED; i++) {
		if (seen.seen[i] != 1)
			fail_msg("%s is exported %d times", wanted[i],
				 seen.seen[i]);
	}
}

/* All that it needs is there at once: this process stands for slurmctld. */
static void _loads(void **state)
{
	void *plugin = dlopen("./" PLUGIN, RTLD_NOW | RTLD_LOCAL);

	if (!plugin)
		fail_msg("%s", dlerror());
	assert_string_equal(dlsym(plugin, "plugin_type"),
			    "job_submit/fed_flurm");
	assert_int_equal(*(uint32_t *) dlsym(plugin, "plugin_version"),
			 SLURM_VERSION_NUMBER);
	dlclose(plugin);
}

static void _count(void *arg, const char *name, bool defined)
{
	(*(int *) arg)++;
}

static void _version(void **state)
{
	uint32_t version = 0;
	fed_err_t err;

	if (plugin_file_version(PLUGIN, &version, &err))
		fail_msg("%s", err.text);
	assert_int_equal(version, SLURM_VERSION_NUMBER);
}

/* Damaged files are refused, whatever is wrong with them. */
static void _not_a_plugin(void **state)
{
	char *dir = scratch_make(), path[4096];
	uint32_t version;
	uint8_t *data;
	size_t len;
	fed_err_t err;
	int count = 0;

	assert_int_equal(plugin_file_version("/nonexistent", &version, &err),
			 -1);
	assert_non_null(strstr(err.text, "/nonexistent: No such file"));
	assert_int_equal(plugin_file_version(dir, &version, &err), -1);
	snprintf(path, sizeof(path), "%s/x.so", dir);
	scratch_write(path, "", 0);
	assert_int_equal(plugin_file_version(path, &version, &err), -1);
	data = scratch_read(PLUGIN, &len);
	/* cut at many places, and every byte of the header turned */
	for (size_t cut = 1; cut < len; cut += 1 + len / 100) {
		scratch_write(path, data, cut);
		(void) plugin_file_version(path, &version, &err);
		(void) plugin_file_symbols(path, _count, &count, NULL);
	}
	for (size_t i = 0; i < 64; i++) {
		data[i] ^= 0xff;
		scratch_write(path, data, len);
		(void) plugin_file_version(path, &version, &err);
		data[i] ^= 0xff;
	}
	free(data);
	scratch_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_exports),
		cmocka_unit_test(_loads),
		cmocka_unit_test(_version),
		cmocka_unit_test(_not_a_plugin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
