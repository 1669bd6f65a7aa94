/*
 * engine_bench.c - FLURM's controller, whole and in this process, between a
 * slurmdbd and a native that are made of cardboard and a real flurm-gateway:
 * how much it can do, how soon it answers, what a job costs it.
 *
 *	engine_bench [-n JOBS] [-m MANY] [-s BYTES] URL
 *
 *	-n  jobs in each measured run (10000)
 *	-m  jobs that are tracked in the end (100000)
 *	-s  size of a script (1000)
 *
 * All jobs have a begin time of tomorrow, so that they wait at FLURM. What this
 * thread, the native, uses of the CPU is not counted.
 */
#include "testsuite/unit/fake_dbd.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sys/resource.h>

#include "src/core/log.h"
#include "src/flurmfed/status_ask.h"
#include "src/sibling/host.h"
#include "src/sibling/pack_info.h"
#include "src/sibling/sib.h"

#define ALPHA_ID 1
#define FLURM_ID 2
#define BATCH 256		/* items of a message, as slurmctld would */
#define PATIENCE_S 300
#define SYNC_JOB_MIN 50		/* bytes of a job in a list, at least */

static struct {
	uint32_t jobs;
	uint32_t many;
	size_t script_len;
	const char *url;
} options = { .jobs = 10000, .many = 100000, .script_len = 1000 };

static char *base, *dir, conf_path[4096], socket_path[4096];
static fake_dbd_t *dbd;
static fake_peer_t *alpha;
static host_t *host;
static uint16_t port;
static persist_t conn;		/* alpha's to flurm */
static char *script;
static uint32_t last_id = ALPHA_ID << 26;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static double listed_at;	/* when the last list came, of any size */
static size_t listed_bytes;

static double _now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void _die(const char *what)
{
	fprintf(stderr, "engine_bench: %s\n", what);
	exit(1);
}

#define UNTIL(condition) \
	do { \
		double end_ = _now() + PATIENCE_S; \
		while (!(condition)) { \
			wait_ms(2); \
			if (_now() > end_) \
				_die("never came true: " #condition); \
		} \
	} while (0)

/* Seconds of CPU that all but this thread have used */
static double _cpu(void)
{
	struct rusage all, mine;

	getrusage(RUSAGE_SELF, &all);
	getrusage(RUSAGE_THREAD, &mine);
	return (all.ru_utime.tv_sec - mine.ru_utime.tv_sec) +
	       (all.ru_stime.tv_sec - mine.ru_stime.tv_sec) +
	       (all.ru_utime.tv_usec - mine.ru_utime.tv_usec) / 1e6 +
	       (all.ru_stime.tv_usec - mine.ru_stime.tv_usec) / 1e6;
}

static long _rss_kb(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	long kb = 0;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "VmRSS: %ld", &kb) == 1)
			break;
	}
	if (file)
		fclose(file);
	return kb;
}

/* --- the native --- */

static void _destroy_buf(void *x)
{
	free_buf(x);
}

static bool _alpha_takes(void *arg, persist_t *from, persist_in_t *in)
{
	ctld_list_msg_t *msg = in->data, answer;
	return_code_msg_t rc = { .return_code = SLURM_SUCCESS };
	buf_t *buf;

	if (in->type != REQUEST_CTLD_MULT_MSG)
		return persist_send(from, RESPONSE_SLURM_RC, &rc, NULL) == 0;
	answer.my_list = list_create(_destroy_buf);
	while ((buf = list_pop(msg->my_list))) {
		pthread_mutex_lock(&lock);
		listed_at = _now();
		listed_bytes = size_buf(buf);
		pthread_mutex_unlock(&lock);
		free_buf(buf);
		list_append(answer.my_list,
			    persist_pack_item(RESPONSE_SLURM_RC, &rc,
					      from->version));
	}
	(void) persist_send(from, RESPONSE_CTLD_MULT_MSG, &answer, NULL);
	FREE_NULL_LIST(answer.my_list);
	return true;
}

static bool _big_list_since(double since)
{
	bool came;

	pthread_mutex_lock(&lock);
	came = (listed_at > since) && (listed_bytes > (size_t) options.many * SYNC_JOB_MIN);
	pthread_mutex_unlock(&lock);
	return came;
}

/* Say items in one message. RET seconds until the answer */
static double _say(buf_t **items, int count)
{
	ctld_list_msg_t msg = { .my_list = list_create(_destroy_buf) };
	persist_in_t in = { 0 };
	fed_err_t err;
	double began;

	for (int i = 0; i < count; i++)
		list_append(msg.my_list, items[i]);
	began = _now();
	if (persist_ask(&conn, REQUEST_CTLD_MULT_MSG, &msg, &in, &err))
		_die(err.text);
	began = _now() - began;
	if (in.type != RESPONSE_CTLD_MULT_MSG)
		_die("a strange answer");
	FREE_NULL_LIST(msg.my_list);
	persist_free_data(&conn, &in);
	return began;
}

static buf_t *_job_submit(void)
{
	static char *environment[] = {
		(char *) "PATH=/usr/local/bin:/usr/bin:/bin",
		(char *) "HOME=/home/someone", (char *) "LANG=C.UTF-8",
		(char *) "SLURM_SUBMIT_DIR=/home/someone/work",
	};
	sib_msg_t sib = {
		.cluster_id = ALPHA_ID,
		.data_type = REQUEST_SUBMIT_BATCH_JOB,
		.data_version = conn.version,
		.fed_siblings = 3,
		.job_id = ++last_id,
		.sib_msg_type = SIB_SUBMIT_BATCH,
		.submit_host = (char *) "localhost",
	};
	job_desc_msg_t desc;
	slurm_msg_t msg;
	buf_t *item;

	slurm_init_job_desc_msg(&desc);
	desc.job_id = sib.job_id;
	desc.user_id = desc.group_id = 1000;
#if COMPAT_24_11
	sib.user_id = sib.group_id = 1000;
	sib.submit_proto_ver = conn.version;
#endif
	desc.name = (char *) "bench";
	desc.work_dir = (char *) "/home/someone/work";
	desc.std_out = (char *) "slurm-%j.out";
	desc.environment = environment;
	desc.env_size = 4;
	desc.script = script;
	desc.min_cpus = desc.num_tasks = 1;
	desc.time_limit = 60;
	desc.begin_time = time(NULL) + 86400;
	slurm_msg_t_init(&msg);
	msg.msg_type = REQUEST_SUBMIT_BATCH_JOB;
	msg.protocol_version = conn.version;
	msg.data = &desc;
	sib.data_buffer = init_buf(4096);
	if (pack_msg(&msg, sib.data_buffer))
		_die("cannot pack a job");
	item = persist_pack_item(REQUEST_SIB_MSG, &sib, conn.version);
	free_buf(sib.data_buffer);
	return item;
}

/* --- what the controller says of itself --- */

static int64_t _status(const char *a, const char *b)
{
	json_t *status = status_ask(socket_path, NULL), *at;
	int64_t value;

	at = json_array_get(json_object_get(status, "clusters"), 0);
	at = json_object_get(json_object_get(at, "jobs"), a);
	if (b)
		at = json_object_get(at, b);
	value = json_integer_value(at);
	json_decref(status);
	return value;
}

static bool _is(const char *section, const char *key)
{
	json_t *status = status_ask(socket_path, NULL), *at;
	bool is;

	at = json_array_get(json_object_get(status, "clusters"), 0);
	at = json_object_get(at, section);
	if (json_is_array(at))
		at = json_array_get(at, 0);
	is = json_is_true(key ? json_object_get(at, key) : at);
	json_decref(status);
	return is;
}

/* --- runs --- */

/* RET jobs a second, until FLURM has accepted them; OUT per CPU second */
static double _submit_many(uint32_t count, double *ret_per_cpu)
{
	int64_t queued = _status("states", "queued");
	double began = _now(), cpu = _cpu(), seconds;
	buf_t *items[BATCH];

	for (uint32_t done = 0; done < count;) {
		int batch = 0;

		while ((batch < BATCH) && (done < count)) {
			items[batch++] = _job_submit();
			done++;
		}
		_say(items, batch);
	}
	UNTIL(_status("states", "queued") >= queued + count);
	seconds = _now() - began;
	if (ret_per_cpu)
		*ret_per_cpu = count / (_cpu() - cpu);
	return count / seconds;
}

static int _compare(const void *a, const void *b)
{
	double left = *(const double *) a, right = *(const double *) b;

	return (left > right) - (left < right);
}

static void _quantiles(const char *name, double *times, size_t count)
{
	qsort(times, count, sizeof(*times), _compare);
	printf("%s_ms p50 %.3f p99 %.3f max %.3f\n", name,
	       1000 * times[count / 2], 1000 * times[(size_t) (count * 0.99)],
	       1000 * times[count - 1]);
}

static double _ask_lock(uint32_t id)
{
	buf_t *buf = sib_pack_lock(ALPHA_ID, id, false, conn.version);
	persist_in_t in = { 0 };
	double began = _now();
	fed_err_t err;

	if (persist_ask_packed(&conn, buf, &in, &err))
		_die(err.text);
	began = _now() - began;
	free_buf(buf);
	persist_free_data(&conn, &in);
	return began;
}

/* What a commit of ten jobs costs the disk, with nothing else to do */
static void _disk(void)
{
	static double times[500];
	static char data[20000];
	char path[4200];
	int fd;

	snprintf(path, sizeof(path), "%s/disk", dir);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		_die("cannot write");
	for (int i = 0; i < 500; i++) {
		times[i] = _now();
		if ((write(fd, data, sizeof(data)) != sizeof(data)) ||
		    fdatasync(fd))
			_die("cannot write");
		times[i] = _now() - times[i];
		wait_ms(2);
	}
	close(fd);
	_quantiles("disk", times, 500);
}

/* 1000 jobs a second, ten in a message, and LOCKs between them */
static void _latency(void)
{
	static double mult[500], locks[500];
	double next = _now();

	for (int i = 0; i < 500; i++) {
		buf_t *items[10];

		for (int j = 0; j < 10; j++)
			items[j] = _job_submit();
		while (_now() < next)
			wait_ms(1);
		next += 0.01;
		mult[i] = _say(items, 10);
		locks[i] = _ask_lock(last_id - 5);
	}
	_quantiles("mult", mult, 500);
	_quantiles("lock", locks, 500);
}

/* What a native says first of all: its list, which ours answers */
static void _alpha_lists(void)
{
	/* it knows of no job that is older than this */
	buf_t *jobs = pack_info_jobs(0, 1, conn.version);
	buf_t *sync = sib_pack_sync(ALPHA_ID, jobs, 1, conn.version);

	free_buf(jobs);
	_say(&sync, 1);
}

static void _alpha_connects(void)
{
	fed_err_t err;
	double end = _now() + PATIENCE_S;

	persist_close(&conn);
	conn = (persist_t) { .fd = -1, .stop_fd = -1, .timeout_ms = 60000 };
	/* refused until flurm's own link is up */
	while (persist_open(&conn, "127.0.0.1", port, PERSIST_TYPE_FED,
			    "alpha", fake_port(alpha), COMPAT_VERSION_OWN,
			    &err)) {
		if (_now() > end)
			_die(err.text);
		wait_ms(50);
	}
	_alpha_lists();
}

static void _start(void)
{
	fed_err_t err;

	if (!host && !(host = host_create(conf_path, "bench", &err)))
		_die(err.text);
	if (!host_start(host))
		_die("the controller does not start");
	UNTIL(_is("flurm", "reachable"));
	UNTIL(_is("peers", "send"));
}

/* Seconds of CPU that this thread has used */
static double _my_cpu(void)
{
	struct rusage mine;

	getrusage(RUSAGE_THREAD, &mine);
	return mine.ru_utime.tv_sec + mine.ru_stime.tv_sec +
	       (mine.ru_utime.tv_usec + mine.ru_stime.tv_usec) / 1e6;
}

/*
 * From nothing but the ledger to a controller that runs. host_start() reads
 * the ledger itself, in this thread.
 */
static void _replay(void)
{
	double began, cpu;

	persist_close(&conn);
	host_stop(host);
	cpu = _my_cpu();
	began = _now();
	if (!host_start(host))
		_die("the controller does not start");
	printf("replay_s %.3f cpu %.3f\n", _now() - began, _my_cpu() - cpu);
	_alpha_connects();
	UNTIL(_big_list_since(began));
	printf("replay_to_sync_s %.3f\n", listed_at - began);
}

/* A link that breaks: from its coming up again until the native has our list */
static void _sync(void)
{
	int inits = fake_inits(alpha);
	double began, cpu;

	fake_hang_up(alpha);
	UNTIL(fake_inits(alpha) > inits);
	cpu = _cpu();
	began = _now();
	_alpha_lists();
	UNTIL(_big_list_since(began));
	printf("sync_s %.3f cpu %.3f bytes %zu\n", listed_at - began,
	       _cpu() - cpu, listed_bytes);
}

static void _setup(void)
{
	char text[8192], where[200];

	base = scratch_make();
	dir = scratch_make();
	dbd = fake_dbd_start(0);
	snprintf(where, sizeof(where),
		 "AccountingStorageHost=127.0.0.1\n"
		 "AccountingStoragePort=%u\n", fake_port(fake_dbd_peer(dbd)));
	slurm_unit_init_with(base, where);
	fed_log_init(NULL, FED_LOG_ERROR);
	snprintf(conf_path, sizeof(conf_path), "%s/fed_flurm.conf", dir);
	snprintf(socket_path, sizeof(socket_path), "%s/status", dir);
	alpha = fake_start(0, false, _alpha_takes, NULL);
	port = free_port();
	fake_dbd_set(dbd, "alpha", "127.0.0.1", fake_port(alpha), ALPHA_ID);
	fake_dbd_set(dbd, "flurm", "", 0, FLURM_ID);
	fake_dbd_assoc(dbd, "root", "root");
	snprintf(text, sizeof(text),
		 "StatusSocket=%s\n"
		 "LedgerDir=%s/ledger\n"
		 "FlurmCluster=flurm Url=%s Port=%u\n", socket_path, dir,
		 options.url, port);
	scratch_write(conf_path, text, strlen(text));
	script = calloc(1, options.script_len + 20);
	memset(script, '#', options.script_len);
	memcpy(script, "#!/bin/sh\n", 10);
	conn.fd = -1;
}

static void _parse(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "n:m:s:")) >= 0) {
		unsigned long value = strtoul(optarg, NULL, 10);

		switch (opt) {
		case 'n':
			options.jobs = value;
			break;
		case 'm':
			options.many = value;
			break;
		case 's':
			options.script_len = value;
			break;
		default:
			_die("see the head of engine_bench.c");
		}
	}
	if (optind + 1 != argc)
		_die("see the head of engine_bench.c");
	options.url = argv[optind];
}

int main(int argc, char **argv)
{
	double few, many, per_cpu, per_cpu_many;
	long before;

	_parse(argc, argv);
	_setup();
	_start();
	_alpha_connects();
	_submit_many(1000, NULL);
	before = _rss_kb();
	few = _submit_many(options.jobs, &per_cpu);
	printf("submissions_per_s %.0f per_cpu_s %.0f\n", few, per_cpu);
	fflush(stdout);
	_latency();
	_disk();
	fflush(stdout);
	while (last_id - (ALPHA_ID << 26) + options.jobs < options.many)
		_submit_many(options.jobs, NULL);
	many = _submit_many(options.jobs, &per_cpu_many);
	printf("submissions_per_s_with_many %.0f per_cpu_s %.0f\n", many,
	       per_cpu_many);
	printf("many_to_few %.2f per_cpu %.2f\n", many / few,
	       per_cpu_many / per_cpu);
	printf("bytes_per_job %.0f\n", (_rss_kb() - before) * 1024.0 /
	       (last_id - (ALPHA_ID << 26) - 1000));
	fflush(stdout);
	_sync();
	_replay();
	host_destroy(host);
	fake_stop(alpha);
	fake_dbd_stop(dbd);
	scratch_remove_tree(dir);
	scratch_remove_tree(base);
	free(script);
	return 0;
}
