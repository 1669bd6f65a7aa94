/*
 * flurmfed_status_test.c - flurmfed status, against a socket that says what
 * the test wants.
 */
#include "fed_config.h"

#include "testsuite/unit/unit.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <jansson.h>

#include "testsuite/unit/scratch.h"

static char *dir, *path;
static char out[65536];		/* of the last run, both streams */
static char asked[256];
static const char *answer;

static int _setup(void **state)
{
	dir = scratch_make();
	assert_true(asprintf(&path, "%s/status", dir) > 0);
	return 0;
}

static int _teardown(void **state)
{
	free(path);
	scratch_remove(dir);
	return 0;
}

/* One who answers one question. */
static void *_serve(void *arg)
{
	int listener = *(int *) arg, fd = accept(listener, NULL, NULL);
	ssize_t n = recv(fd, asked, sizeof(asked) - 1, 0);

	asked[n > 0 ? n : 0] = 0;
	/* in two pieces: the end is where it is closed */
	(void) !send(fd, answer, strlen(answer) / 2, MSG_NOSIGNAL);
	(void) !send(fd, answer + strlen(answer) / 2,
		     strlen(answer) - strlen(answer) / 2, MSG_NOSIGNAL);
	close(fd);
	return NULL;
}

/* RET exit code */
static int _run(const char *args)
{
	char line[8192];
	FILE *pipe;
	size_t len;

	snprintf(line, sizeof(line), "./flurmfed status %s 2>&1", args);
	pipe = popen(line, "re");
	assert_non_null(pipe);
	len = fread(out, 1, sizeof(out) - 1, pipe);
	out[len] = 0;
	return WEXITSTATUS(pclose(pipe));
}

static int _ask(const char *text, const char *args)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;
	char line[4096];
	pthread_t thread;

	answer = text;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *) &addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, _serve, &fd), 0);
	snprintf(line, sizeof(line), "%s --socket %s", args, path);
	rc = _run(line);
	pthread_join(thread, NULL);
	close(fd);
	return rc;
}

#define assert_out(part) \
	do { \
		if (!strstr(out, part)) \
			fail_msg("\"%s\" is not in: %s", part, out); \
	} while (0)

/* Two clusters; %s is put into the first */
#define STATUS(cluster) \
	"{\"host\":\"slurmctld\",\"version\":\"1.2\",\"slurm\":\"22.05.8\"," \
	"\"pid\":7,\"clusters\":[{\"name\":\"flurm\",\"running\":true," \
	"\"since\":0," cluster "}]}"

#define DBD_WELL "\"slurmdbd\":{\"registered\":true,\"rival\":false," \
	"\"address\":\"10.1.2.3\",\"port\":6827,\"error\":\"\",\"since\":0}"
#define FED_WELL "\"federation\":{\"name\":\"fed\",\"id\":3," \
	"\"state\":\"ACTIVE\",\"features\":\"gpu\"}"
#define PEER(name, link, send, recv, synced, error) \
	"{\"name\":\"" name "\",\"link\":\"" link "\",\"send\":" send "," \
	"\"recv\":" recv ",\"synced\":" synced ",\"queued\":5,\"sent\":77," \
	"\"since\":0,\"error\":\"" error "\"}"
#define FLURM_WELL "\"flurm\":{\"url\":\"http://x\",\"reachable\":true," \
	"\"since\":0,\"error\":\"\",\"version\":\"0.9\",\"nodes\":4," \
	"\"cpus\":64,\"memory_mb\":2048,\"nodes_age\":3,\"nodes_told\":true," \
	"\"requests\":10,\"retries\":1}"
#define LEDGER_WELL "\"ledger\":{\"dir\":\"/var/x\",\"state\":\"ok\"," \
	"\"bytes\":4096,\"records\":3,\"commits\":2}"
#define PORT "\"port\":{\"number\":6827,\"accepted\":100,\"served\":98," \
	"\"rejected\":2,\"open\":0,\"persistent\":3}"
#define JOBS "\"jobs\":{\"known\":7,\"states\":{\"queued\":3,\"running\":4}}"
#define ROWS "\"accounting\":{\"waiting\":0,\"oldest\":0,\"dropped\":0," \
	"\"error\":\"\"}"
#define WELL JOBS "," ROWS "," DBD_WELL "," FED_WELL "," FLURM_WELL "," LEDGER_WELL "," PORT

static void _all_is_well(void **state)
{
	assert_int_equal(_ask(STATUS(WELL ",\"peers\":["
				     PEER("alpha", "up", "true", "true",
					  "true", "") "]"), ""), 0);
	assert_string_equal(asked, "{\"get\":\"status\"}\n");
	assert_out("fed_flurm 1.2 in slurmctld (process 7, Slurm 22.05.8)\n");
	assert_out("registered as 10.1.2.3:6827 for ");
	assert_out("federation  fed, id 3, ACTIVE, features gpu\n");
	assert_out("http://x answers for ");
	assert_out("version 0.9, 4 nodes, 64 cpus, 2.0 GiB; "
		   "nodes 3 s ago; 10 requests");
	assert_out("jobs        7 known: 3 queued, 4 running\n");
	assert_out("accounting  slurmdbd knows all\n");
	assert_out("ok: /var/x, 4.0 KiB, 3 records in 2 commits");
	assert_out("6827: 100 connections, 98 served, 2 rejected; now 0 open");
	assert_out("  alpha    yes   yes   yes           5         77  up for ");
	assert_out("\nAll is well.\n");
}

static void _each_problem(void **state)
{
	assert_int_equal(_ask(STATUS(
		"\"slurmdbd\":{\"registered\":false,\"rival\":true,"
		"\"error\":\"refused\"},\"federation\":null,"
		"\"flurm\":{\"reachable\":false,\"url\":\"http://x\","
		"\"error\":\"timed out\"},"
		"\"ledger\":{\"state\":\"full\",\"dir\":\"/var/x\"},"
		"\"accounting\":{\"waiting\":5,\"oldest\":1000,"
		"\"dropped\":2,\"error\":\"no database\"},"
		"\"peers\":["
		PEER("a", "waiting", "false", "true", "true", "no route") ","
		PEER("b", "up", "true", "false", "true", "") ","
		PEER("c", "up", "true", "true", "false", "") ","
		PEER("d", "idle", "false", "false", "false", "") "]"), ""),
		1);
	assert_out("flurm: not registered in slurmdbd: refused\n");
	assert_out("flurm: another controller has registered it");
	assert_out("flurm: in no federation: sacctmgr modify federation NAME set clusters+=flurm\n");
	assert_out("flurm: no connection to sibling a: no route\n");
	assert_out("flurm: sibling b has not connected to us");
	assert_out("flurm: sibling c has not told us its jobs");
	assert_out("flurm: sibling d is not registered in slurmdbd");
	assert_out("flurm: FLURM at http://x does not answer: timed out\n");
	assert_out("accounting  5 rows wait for slurmdbd, the oldest for ");
	assert_out("; 2 REFUSED AND DROPPED: no database\n");
	assert_out("flurm: slurmdbd refused 2 rows of accounting for good");
	assert_out("flurm: the ledger in /var/x cannot be written (full)");
	assert_null(strstr(out, "All is well"));
}

static void _not_running(void **state)
{
	assert_int_equal(_ask("{\"host\":\"fed_flurmd\",\"clusters\":[{"
			      "\"name\":\"x\",\"running\":false,"
			      "\"error\":\"port in use\"}]}", ""), 1);
	assert_out("\nx DOES NOT RUN: port in use\n");
	assert_out("  x: its controller does not run: port in use\n");
	assert_int_equal(_ask("{\"host\":\"fed_flurmd\",\"clusters\":[]}", ""),
			 1);
	assert_out("fed_flurmd: it has no FLURM cluster");
}

/* Its own words, with what is wrong; and the same exit code. */
static void _json(void **state)
{
	json_t *json;

	assert_int_equal(_ask(STATUS(WELL ",\"more\":[1,2]"), "--json"), 0);
	json = json_loads(out, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(json, "problems")),
			 0);
	assert_int_equal(json_array_size(json_object_get(json_array_get(
		json_object_get(json, "clusters"), 0), "more")), 2);
	json_decref(json);

	assert_int_equal(_ask(STATUS("\"federation\":null"), "-j"), 1);
	json = json_loads(out, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(json, "problems")),
			 1);
	json_decref(json);
}

static void _bad_answers(void **state)
{
	assert_int_equal(_ask("{\"error\":\"only root\"}", ""), 1);
	assert_out("only root\n");
	assert_int_equal(_ask("", ""), 1);
	assert_out("the answer makes no sense");
	assert_int_equal(_ask("[1]", ""), 1);
	assert_out("the answer makes no sense: not an object");
	/* of another release, whose parts have other types */
	assert_int_equal(_ask("{\"host\":1,\"clusters\":{\"a\":3}}", ""), 1);
	(void) _ask("{\"clusters\":[7,{\"peers\":3,\"ledger\":[],"
		    "\"name\":{},\"slurmdbd\":\"x\"}]}", "");
}

static void _nobody_there(void **state)
{
	char line[4096];

	snprintf(line, sizeof(line), "-s %s/none", dir);
	assert_int_equal(_run(line), 1);
	assert_out("/none: nobody is there");
	/* left behind by one that was killed */
	(void) _ask("{}", "");
	snprintf(line, sizeof(line), "-s %s", path);
	assert_int_equal(_run(line), 1);
	assert_out("nobody is there");
	assert_int_equal(_run("-s /0123456789/0123456789/0123456789/0123456789"
			      "/0123456789/0123456789/0123456789/0123456789"
			      "/0123456789/0123456789/0123456789"), 1);
	assert_out("too long");
}

static void _usage(void **state)
{
	assert_int_equal(_run("--frobnicate"), 2);
	assert_int_equal(_run("--socket"), 2);
	assert_int_equal(_run("now"), 2);
	assert_out("what is \"now\"?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_all_is_well),
		cmocka_unit_test(_each_problem),
		cmocka_unit_test(_not_running),
		cmocka_unit_test(_json),
		cmocka_unit_test(_bad_answers),
		cmocka_unit_test(_nobody_there),
		cmocka_unit_test(_usage),
	};

	return cmocka_run_group_tests(tests, _setup, _teardown);
}
